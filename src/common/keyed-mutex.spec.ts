import { deferred } from './deferred.js';
import { KeyedMutex } from './keyed-mutex.js';

describe('a keyed mutex', () => {
  it('does the work of one key one after the other, also behind work that has failed', async () => {
    const mutex = new KeyedMutex();
    const done: number[] = [];
    const gate = deferred<void>();
    const first = mutex.runExclusive('a', async () => {
      await gate.promise;
      done.push(1);
      throw new Error('the first has failed');
    });
    const second = mutex.runExclusive('a', async () => done.push(2));
    await mutex.runExclusive('b', async () => done.push(3));
    expect(done).toEqual([3]);
    gate.resolve();
    await expect(first).rejects.toThrow('the first has failed');
    await second;
    expect(done).toEqual([3, 1, 2]);
  });
});
