import type { RunInput, RunResult } from '../../../contracts/operations.js';

type Outcome = Pick<RunResult, 'readiness' | 'requestedPort' | 'port' | 'appPort' | 'exitCode' | 'signal'>;

/** What a caller may not expect of a run that has succeeded all the same. */
export function runWarnings(outcome: Outcome, { background, readyTimeoutMs }: RunInput): string[] {
  const { readiness, requestedPort, port, appPort, exitCode, signal } = outcome;
  const warnings: string[] = [];
  if (readiness === 'timeout') {
    const what = appPort === null ? 'It does not listen yet' : `It listens on port ${appPort}, but is not ready yet`;
    warnings.push(`${what}, after ${readyTimeoutMs} ms. It runs on: GET /repo/:repoId/status tells when it is ready.`);
  }
  if (requestedPort !== undefined)
    warnings.push(`Port ${requestedPort} was in use: the app is reached on port ${port}.`);
  if (!background && exitCode !== 0) {
    const how = signal ? `was ended by ${signal}` : `has failed, with exit code ${exitCode}`;
    warnings.push(`The script ${how}: read its output.`);
  }
  return warnings;
}
