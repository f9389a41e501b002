import { Failure } from '../contracts/failure.js';
import { InProcessOperationQueue } from './in-process-operation-queue.js';
import type { Lane, QueueItem } from './operation-queue.js';

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
      atOnce: null,
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

  it('starts the next one when one gives up its place, and keeps its repository for it', async () => {
    const { started, add, end } = workplace();
    add('run', {
      uid: 'r',
      start: (giveUpPlace) => {
        started.push('run');
        giveUpPlace();
        return new Promise(() => undefined);
      },
    });
    add('install', { uid: 'r' });
    add('other');
    expect(started).toEqual(['run', 'other']);
    await end('other');
    expect(started).toEqual(['run', 'other']);
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

  it('leaves what an owner may not have carried out yet, and starts others in its place', async () => {
    const { queue, started, add, end } = workplace({ workers: 3 });
    for (const id of ['a1', 'a2', 'a3']) add(id, { atOnce: 1 });
    add('b1', { owner: 'bob' });
    expect(started).toEqual(['a1', 'b1']);
    expect([queue.waitingOf('ann'), queue.waitingOf('bob')]).toEqual([2, 0]);
    await end('a1');
    expect(started).toEqual(['a1', 'b1', 'a2']);
  });

  it('tells the place of what waits, and moves it up when something before it is taken out', () => {
    const { add, queue } = workplace();
    for (const id of ['a', 'b', 'c']) add(id);
    expect([queue.position('a'), queue.position('b'), queue.position('c')]).toEqual([undefined, 1, 2]);
    expect([...queue.remove(['b', 'unknown'])]).toEqual(['b']);
    expect(queue.position('c')).toBe(1);
    expect(queue.remove(['a']).size).toBe(0);
  });

  it('refuses what would wait beyond its bound, and forgets it', () => {
    const { add, queue } = workplace({ waiting: 1 });
    add('a');
    add('b');
    expect(() => add('c')).toThrow(expect.objectContaining<Partial<Failure>>({ code: 'QUEUE_FULL' }));
    expect(queue.stats()).toMatchObject({ queued: 1, running: 1, maxRunning: 1 });
  });

  it('counts what waits over all lanes, but never keeps a stop out for the work that waits', () => {
    const { add } = workplace({ waiting: 2 });
    const full = expect.objectContaining<Partial<Failure>>({ code: 'QUEUE_FULL' });
    for (const id of ['clone', 'install']) add(id, { uid: 'r' });
    add('build', { uid: 'r', lane: 'foreground' });
    expect(() => add('another', { uid: 'r', lane: 'foreground' })).toThrow(full);
    for (const id of ['status1', 'status2']) add(id, { lane: 'read', exclusive: false });
    for (const id of ['stop1', 'stop2']) add(id, { lane: 'control', exclusive: false });
    expect(() => add('stop3', { lane: 'control', exclusive: false })).toThrow(full);
    add('stop4', { lane: 'control', exclusive: false, owner: 'bob' });
  });

  it('tells once of all the changes of a moment', async () => {
    const { add, queue } = workplace();
    let told = 0;
    const moved = new Promise<void>((resolve) => {
      queue.onMoved(() => {
        told += 1;
        resolve();
      });
    });
    for (const id of ['a', 'b', 'c', 'd']) add(id);
    queue.remove(['c']);
    expect(told).toBe(0);
    await moved;
    expect([told, queue.position('d')]).toEqual([1, 2]);
  });

  it('costs next to nothing with hundreds waiting whose places are asked for after every change', () => {
    const { add, queue } = workplace({ waiting: 1000 });
    const ids = Array.from({ length: 400 }, (_, index) => `op${index}`);
    const startedAt = performance.now();
    for (const [index, id] of ids.entries()) {
      add(id, { owner: `owner${index % 7}` });
      for (const one of ids.slice(0, index)) queue.position(one);
    }
    for (const id of ids) {
      queue.remove([id]);
      for (const one of ids) queue.position(one);
    }
    expect(performance.now() - startedAt).toBeLessThan(4_000);
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
