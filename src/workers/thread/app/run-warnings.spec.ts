import type { RunInput } from '../../../contracts/operations.js';
import { runWarnings } from './run-warnings.js';

const INPUT = { background: true, readyTimeoutMs: 30_000 } as RunInput;
const LISTENS = { readiness: 'listening', port: 20_000, appPort: 20_000 } as const;

describe('What a caller may not expect of a run', () => {
  it.each([
    ['nothing, where it listens as asked', LISTENS, INPUT, []],
    [
      'that it does not listen',
      { readiness: 'timeout', port: null, appPort: null } as const,
      INPUT,
      ['It does not listen yet, after 30000 ms. It runs on: GET /repo/:repoId/status tells when it is ready.'],
    ],
    [
      'that it is not ready, though it listens',
      { ...LISTENS, readiness: 'timeout' } as const,
      INPUT,
      [
        'It listens on port 20000, but is not ready yet, after 30000 ms. It runs on: GET /repo/:repoId/status tells when it is ready.',
      ],
    ],
    [
      'that it has another port',
      { ...LISTENS, requestedPort: 3000 },
      INPUT,
      ['Port 3000 was in use: the app is reached on port 20000.'],
    ],
    [
      'that a build has failed',
      { readiness: 'exited', port: null, appPort: null, exitCode: 127 } as const,
      { ...INPUT, background: false },
      ['The script has failed, with exit code 127: read its output.'],
    ],
    [
      'that a build was ended',
      { readiness: 'exited', port: null, appPort: null, exitCode: null, signal: 'SIGKILL' } as const,
      { ...INPUT, background: false },
      ['The script was ended by SIGKILL: read its output.'],
    ],
    [
      'nothing, where a build has gone well',
      { readiness: 'exited', port: null, appPort: null, exitCode: 0 } as const,
      { ...INPUT, background: false },
      [],
    ],
  ])('is %s', (_, outcome, input, warnings) => {
    expect(runWarnings(outcome, input)).toEqual(warnings);
  });
});
