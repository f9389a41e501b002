import { Failure } from '../../../contracts/failure.js';
import type { App } from '../../../contracts/shapes.js';

/** What the last lines of a failed start mean, the likeliest cause first. */
const SYMPTOMS: { pattern: RegExp; script?: string; suggestion: string }[] = [
  {
    // The commonest failure of real repositories: the script starts what a build makes.
    pattern:
      /(cannot find (module|package)|ENOENT|no such file|could not find|does not exist|not found)(?!.*node_modules).*(\b(dist|build|out|lib|compiled)\b|\.next|\.nuxt|\.output|\.svelte-kit)/i,
    script: 'build',
    suggestion: 'It seems that nothing was built yet: run {"script": "build", "background": false}, then run it again.',
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

export const endText = ({ exitCode, signal }: App): string =>
  signal ? `was ended by ${signal}` : `exited with code ${exitCode}`;

/** A start that failed, with its last lines and the likeliest way on. */
export function exitFailure(app: App, scripts: Record<string, string>, lastLines: string[]): Failure {
  const { script, command, exitCode, signal } = app;
  const said =
    lastLines.findLast((line) => /^(Uncaught )?\w*Error\b/.test(line)) ??
    lastLines.findLast((line) => line.trim() !== '');
  const symptom = SYMPTOMS.find(
    ({ pattern, script: needed }) =>
      (needed === undefined || (Object.hasOwn(scripts, needed) && needed !== script)) &&
      lastLines.some((line) => pattern.test(line.slice(0, MAX_CHARS))),
  );
  return new Failure(
    'APP_EXITED',
    `The app ${endText(app)} before it was ready${said ? `: ${said.trim().slice(0, MAX_CHARS)}` : ''}`,
    {
      context: { script, command, exitCode, signal, lastLines },
      ...(symptom && { suggestion: symptom.suggestion }),
    },
  );
}
