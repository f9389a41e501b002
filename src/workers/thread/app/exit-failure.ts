import { Failure } from '../../../contracts/failure.js';
import type { App } from '../../../contracts/shapes.js';
import type { LaunchPlan } from './launch-plan.js';

/** Of 26 real repositories nine failed so: they start what a build makes. */
const NOT_BUILT =
  /(Cannot find (module|package)|ENOENT|could not find|no such file).*\b(dist|build|out|lib|\.next|\.output)\b/i;

/** A start that failed, with its last lines and the likeliest way on. */
export function exitFailure(app: App, { script, scripts }: LaunchPlan, lastLines: string[]): Failure {
  const { exitCode, signal } = app;
  const how = signal ? `was ended by ${signal}` : `exited with code ${exitCode}`;
  const notBuilt = Object.hasOwn(scripts, 'build') && lastLines.some((line) => NOT_BUILT.test(line));
  return new Failure('APP_EXITED', `The app ${how} before it was ready: ${script}`, {
    context: { script, exitCode, signal, lastLines },
    ...(notBuilt && {
      suggestion:
        'It seems that nothing was built yet: run {"script": "build", "background": false}, then run it again.',
    }),
  });
}
