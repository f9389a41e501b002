import { toldProcessLimit } from './limits-watch.js';

const LIMITS = { memoryMb: null, processes: 100, diskMb: null, cpuWeight: null, enforcedBy: 'watchdog' as const };

describe('that the kernel gives no further process', () => {
  it.each([
    './bomb.sh: 3: Cannot fork',
    'bash: fork: retry: Resource temporarily unavailable',
    'Error: spawn sh EAGAIN',
    'runtime/cgo: pthread_create failed: thread: Resource temporarily unavailable',
  ])('is told by "%s"', (line) => {
    expect(toldProcessLimit(['up', line], LIMITS)).toMatchObject({
      code: 'TOO_MANY_PROCESSES',
      context: { used: 100, limit: 100 },
    });
  });

  it.each(['read: Resource temporarily unavailable', 'Error: connect EAGAIN', 'forked'])(
    'is not told by "%s"',
    (line) => {
      expect(toldProcessLimit([line], LIMITS)).toBeUndefined();
    },
  );

  it('is nothing that a repository without this limit can have run into', () => {
    expect(toldProcessLimit(['Cannot fork'], { ...LIMITS, processes: null })).toBeUndefined();
  });
});
