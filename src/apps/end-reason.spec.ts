import type { App } from '../contracts/shapes.js';
import { endReason } from './end-reason.js';

const app: App = {
  pid: null,
  script: 'start',
  command: 'node .',
  port: null,
  appPort: null,
  url: null,
  ready: false,
  startedAt: 0,
  stoppedAt: 60_000,
  restarts: 0,
  exitCode: 1,
  signal: null,
  stopReason: 'crashed',
  stopMessage: 'Error: no database',
};

describe('the reason of an end', () => {
  it('is how the app ended, and what it said last', () => {
    expect(endReason({ app: app, cause: 'crashed' }, false)).toEqual({
      code: 'APP_EXITED',
      message: 'The app exited with code 1: Error: no database',
    });
    const killed = { ...app, exitCode: null, signal: 'SIGKILL', stopMessage: undefined, stoppedAt: 900 };
    expect(endReason({ app: killed, cause: 'crashed' }, false)?.message).toBe(
      'The app was ended by SIGKILL 900 ms after its start',
    );
  });

  it.each(['stopped', 'cancelled', 'exited'] as const)('is none when it was in order: %s', (cause) => {
    expect(endReason({ app: { ...app, exitCode: 0 }, cause }, false)).toBeUndefined();
  });

  it('is the limit that it has broken', () => {
    const reason = { code: 'OUT_OF_MEMORY', message: 'It took more than 64 MiB' } as const;
    expect(endReason({ app, cause: 'limit', reason }, false)).toEqual(reason);
    expect(endReason({ app: { ...app, restarts: 5 }, cause: 'limit', reason }, true)).toEqual({
      code: 'CRASH_LOOP',
      message: 'Started again 5 times in a row: It took more than 64 MiB',
    });
  });

  it('is that it takes too long, or that it dies again and again, when that is so', () => {
    expect(endReason({ app: app, cause: 'timed-out' }, false)?.code).toBe('TIMED_OUT');
    expect(endReason({ app: { ...app, restarts: 5 }, cause: 'crashed' }, true)).toEqual({
      code: 'CRASH_LOOP',
      message: 'Started again 5 times in a row: the app exited with code 1: Error: no database',
    });
    expect(endReason({ app: { ...app, restarts: 1, exitCode: 0 }, cause: 'exited' }, true)?.code).toBe('CRASH_LOOP');
  });
});
