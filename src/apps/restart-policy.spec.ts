import { nextRestart, type AppEnd } from './restart-policy.js';

const MINUTE = 60_000;
const crash: AppEnd = { policy: 'on-failure', cause: 'crashed', exitCode: 1, livedMs: MINUTE, restarts: 0 };

describe('an app that has ended', () => {
  it.each<[string, Partial<AppEnd>]>([
    ['crashed', {}],
    ['became unhealthy', { cause: 'unhealthy', exitCode: null }],
    ['was to run always and exited with 0', { policy: 'always', cause: 'exited', exitCode: 0 }],
  ])('comes back when it %s', (_, end) => {
    expect(nextRestart({ ...crash, ...end })).toEqual({ delayMs: 1_000, restarts: 1 });
  });

  it.each<[string, Partial<AppEnd>]>([
    ['its policy is no', { policy: 'no' }],
    ['it exited with 0', { cause: 'exited', exitCode: 0 }],
    ['it was stopped', { policy: 'always', cause: 'stopped' }],
    ['its run was cancelled', { policy: 'always', cause: 'cancelled' }],
    ['its time was over', { policy: 'always', cause: 'timed-out' }],
    ['it died within ten seconds: it never ran properly', { policy: 'always', livedMs: 9_999 }],
    ['it has come back five times in a row', { policy: 'always', restarts: 5 }],
  ])('stays down when %s', (_, end) => {
    expect(nextRestart({ ...crash, ...end })).toBeUndefined();
  });

  it('waits twice as long each time, and at most a minute', () => {
    const delays = [0, 1, 2, 3, 4].map((restarts) => nextRestart({ ...crash, restarts })?.delayMs);
    expect(delays).toEqual([1_000, 2_000, 4_000, 8_000, 16_000]);
  });

  it('starts counting anew after a long life', () => {
    const end = { ...crash, livedMs: 10 * MINUTE, restarts: 5 };
    expect(nextRestart(end)).toEqual({ delayMs: 1_000, restarts: 1 });
  });
});
