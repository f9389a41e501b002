import { Failure } from '../../../contracts/failure.js';
import type { App } from '../../../contracts/shapes.js';
import { shortened } from '../../../machine/bounded.js';

/** What the last lines of a failed start mean, the likeliest cause first. */
const SYMPTOMS: { pattern: RegExp; script?: string; suggestion: string }[] = [
  {
    // The commonest failure of real repositories: the script starts what a build makes.
    pattern:
      /(cannot find (module|package)|ENOENT|no such file|could not find|does not exist|not found)(?!.*node_modules).*(\b(dist|build|out|lib|compiled)\b|\.next|\.nuxt|\.output|\.svelte-kit)/i,
    script: 'build',
    suggestion:
      'It seems that nothing was built yet: run {"script": "build", "background": false}, see that its exitCode is 0 (a build ' +
      'that fails is answered as well), then run it again.',
  },
  {
    pattern: /EADDRINUSE|address already in use/i,
    suggestion:
      'It listens on a port of its own choice that is taken: have it listen on PORT, or stop what has the port.',
  },
  {
    pattern: /(^|: )[\w./-]+: (command )?not found$|cannot find (module|package) '[^./]/i,
    suggestion: 'A dependency is missing: install, with production: false where it is a development tool.',
  },
];

const MAX_CHARS = 1_000;
/** How many of the last lines are handed on. */
const CONTEXT_LINES = 30;

export const endText = ({ exitCode, signal }: App): string =>
  signal ? `was ended by ${signal}` : `exited with code ${exitCode}`;

/** The line of the output that says best why: what was thrown, else the last one. Node.js prints its version below. */
export function tellingLine(lines: string[]): string | undefined {
  const said = lines.filter((line) => line.trim() !== '' && !/^Node\.js v\d/.test(line));
  const thrown = said.findLast((line) => /^(Uncaught |\[?)?\w*Error\b/.test(line));
  return (thrown ?? said.at(-1))?.trim().slice(0, MAX_CHARS);
}

/** A start that failed, with its last lines and the likeliest way on. */
export function exitFailure(app: App, scripts: Record<string, string>, lines: string[]): Failure {
  const { script, command, exitCode, signal } = app;
  const reason = tellingLine(lines);
  const symptom = SYMPTOMS.find(
    ({ pattern, script: needed }) =>
      (needed === undefined || (Object.hasOwn(scripts, needed) && needed !== script)) &&
      lines.some((line) => pattern.test(line.slice(0, MAX_CHARS))),
  );
  return new Failure('APP_EXITED', `The app ${endText(app)} before it was ready${reason ? `: ${reason}` : ''}`, {
    context: {
      script,
      command,
      exitCode,
      signal,
      lastLines: lines.slice(-CONTEXT_LINES).map((line) => shortened(line, MAX_CHARS)),
    },
    ...(symptom && { suggestion: symptom.suggestion }),
  });
}
