import { anotherRestart, nextRestart, type AppEnd, type RestartLimits } from './restart-policy.js';

const MINUTE = 60_000;
const limits: RestartLimits = { max: 5, firstDelayMs: 1_000 };
const crash: AppEnd = {
  policy: 'on-failure',
  cause: 'crashed',
  exitCode: 1,
  restarts: 0,
  livedMs: MINUTE,
  readyTimeoutMs: 0,
  isTrusted: false,
};
const next = (end: Partial<AppEnd>) => nextRestart({ ...crash, ...end }, limits);

describe('an app that has ended', () => {
  it.each<[string, Partial<AppEnd>]>([
    ['crashed', {}],
    ['became unhealthy', { cause: 'unhealthy', exitCode: null }],
    ['was to run always and exited with 0', { policy: 'always', cause: 'exited', exitCode: 0 }],
    ['never was ready, and lived on all the same', { readyTimeoutMs: 30_000 }],
  ])('comes back when it %s', (_, end) => {
    expect(next(end)).toEqual({ delayMs: 1_000, restarts: 1 });
  });

  it.each<[string, Partial<AppEnd>]>([
    ['its policy is no', { policy: 'no' }],
    ['it exited with 0', { cause: 'exited', exitCode: 0 }],
    ['it was stopped', { policy: 'always', cause: 'stopped' }],
    ['its run was cancelled', { policy: 'always', cause: 'cancelled' }],
    ['its time was over', { policy: 'always', cause: 'timed-out' }],
    ['it died within ten seconds: it never ran properly', { policy: 'always', livedMs: 9_999 }],
    ['it died before it was ready: its run has failed', { livedMs: 29_999, readyTimeoutMs: 30_000 }],
  ])('stays down when %s', (_, end) => {
    expect(next(end)).toBeUndefined();
  });

  it('comes back again when it dies soon after a restart: it has lived before', () => {
    expect(next({ livedMs: 50, readyTimeoutMs: 30_000, restarts: 2 })).toEqual({ delayMs: 4_000, restarts: 3 });
  });

  it('comes back when it dies soon after an update that has seen it live', () => {
    expect(next({ livedMs: 50, readyTimeoutMs: 30_000, isTrusted: true })).toEqual({ delayMs: 1_000, restarts: 1 });
  });

  it('waits twice as long each time, and at most a minute', () => {
    const delays = [0, 1, 2, 3, 4].map((restarts) => anotherRestart(restarts, limits)?.delayMs);
    expect(delays).toEqual([1_000, 2_000, 4_000, 8_000, 16_000]);
    expect(anotherRestart(8, { max: 20, firstDelayMs: 1_000 })?.delayMs).toBe(MINUTE);
  });

  it('is in a crash loop when it has come back as often as it may', () => {
    expect(next({ restarts: 5 })).toBe('crash-loop');
    expect(next({ policy: 'always', cause: 'exited', exitCode: 0, restarts: 5 })).toBe('crash-loop');
    expect(nextRestart(crash, { ...limits, max: 0 })).toBeUndefined();
  });

  it('starts counting anew after a long life', () => {
    expect(next({ livedMs: 10 * MINUTE, restarts: 5 })).toEqual({ delayMs: 1_000, restarts: 1 });
  });
});
