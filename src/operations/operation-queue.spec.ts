import { Failure } from '../contracts/failure.js';
import { InProcessOperationQueue, type Lane, type QueueItem } from './operation-queue.js';

/** Items note when they start, and end when they are told to. */
function workplace({ workers = 1, waiting = 100 } = {}) {
  const started: string[] = [];
  const ends = new Map<string, () => void>();
  const lanes: Record<Lane, number> = { work: workers, read: 1, control: 1, foreground: Infinity };
  const queue = new InProcessOperationQueue({ lanes, waiting });
  const add = (operationId: string, more: Partial<QueueItem> = {}) =>
    queue.add({
      operationId,
      uid: operationId,
      owner: 'ann',
      lane: 'work',
      exclusive: true,
      start: () => {
        started.push(operationId);
        return new Promise((resolve) => ends.set(operationId, resolve));
      },
      ...more,
    });
  const end = async (operationId: string) => {
    ends.get(operationId)?.();
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { queue, started, add, end };
}

describe('the operation queue', () => {
  it('starts no more than there are workers, and the next one when a place is free', async () => {
    const { started, add, end } = workplace({ workers: 2 });
    for (const id of ['a', 'b', 'c']) add(id);
    expect(started).toEqual(['a', 'b']);
    await end('a');
    expect(started).toEqual(['a', 'b', 'c']);
  });

  it('keeps the order of arrival within a repository, whatever the lane', async () => {
    const { started, add, end } = workplace({ workers: 3 });
    add('clone', { uid: 'r' });
    add('install', { uid: 'r' });
    add('build', { uid: 'r', lane: 'foreground' });
    add('run', { uid: 'r' });
    for (const id of ['clone', 'install', 'build']) await end(id);
    expect(started).toEqual(['clone', 'install', 'build', 'run']);
  });

  it('lets reads and stops pass while every worker is busy', () => {
    const { started, add } = workplace();
    add('clone', { uid: 'r' });
    add('status', { uid: 'r', lane: 'read', exclusive: false });
    add('stop', { uid: 'r', lane: 'control', exclusive: false });
    expect(started).toEqual(['clone', 'status', 'stop']);
  });

  it('serves owners in turn, so that nobody waits behind all that another has asked for', async () => {
    const { started, add, end, queue } = workplace();
    for (const id of ['a1', 'a2', 'a3']) add(id, { owner: 'ann' });
    for (const id of ['b1', 'b2']) add(id, { owner: 'bob' });
    expect(queue.position('b1')).toBe(1);
    for (const id of ['a1', 'b1', 'a2', 'b2']) await end(id);
    expect(started).toEqual(['a1', 'b1', 'a2', 'b2', 'a3']);
  });

  it('tells the place of what waits, and moves it up when something before it is taken out', () => {
    const { add, queue } = workplace();
    for (const id of ['a', 'b', 'c']) add(id);
    expect([queue.position('a'), queue.position('b'), queue.position('c')]).toEqual([undefined, 1, 2]);
    expect(queue.remove('b')).toBe(true);
    expect(queue.position('c')).toBe(1);
    expect(queue.remove('a')).toBe(false);
  });

  it('refuses what would wait beyond its bound, and forgets it', () => {
    const { add, queue } = workplace({ waiting: 1 });
    add('a');
    add('b');
    expect(() => add('c')).toThrow(expect.objectContaining<Partial<Failure>>({ code: 'QUEUE_FULL' }));
    expect(queue.stats()).toMatchObject({ queued: 1, running: 1, limit: 1 });
  });

  it('takes and starts nothing once it drains', async () => {
    const { add, queue, started, end } = workplace();
    add('a');
    add('b');
    queue.drain();
    await end('a');
    expect(started).toEqual(['a']);
    expect(() => add('c')).toThrow(expect.objectContaining<Partial<Failure>>({ code: 'DRAINING' }));
  });
});
