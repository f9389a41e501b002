import { deferred } from './deferred.js';
import { Turns } from './turns.js';

describe('turns', () => {
  it('do the work of one key one after the other, also behind work that has failed', async () => {
    const turns = new Turns();
    const done: number[] = [];
    const gate = deferred<void>();
    const first = turns.take('a', async () => {
      await gate.promise;
      done.push(1);
      throw new Error('the first has failed');
    });
    const second = turns.take('a', async () => done.push(2));
    await turns.take('b', async () => done.push(3));
    expect(done).toEqual([3]);
    gate.resolve();
    await expect(first).rejects.toThrow('the first has failed');
    await second;
    expect(done).toEqual([3, 1, 2]);
  });
});
