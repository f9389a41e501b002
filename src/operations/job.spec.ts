import { Failure } from '../contracts/failure.js';
import type { Operation } from '../contracts/shapes.js';
import type { RepositoryEntry } from '../registry/repository-entry.js';
import { Job, type JobServices } from './job.js';

const operation = { operationId: 'op_1', uid: 'r_1', timeoutMs: 60_000 } as Operation;
const entry = {} as RepositoryEntry;
const cancelled = new Failure('CANCELLED', 'on request');
const turn = () => new Promise(setImmediate);

/** Threads that do what the test says: their work is done, or they have ended, when it says so. */
class Threads {
  readonly begun: string[] = [];
  private readonly runs: { done(): void; end(): void }[] = [];

  start({ operation: name }: { operation: string }) {
    this.begun.push(name);
    let [done, end]: (() => void)[] = [];
    let fail!: (failure: Failure) => void;
    const output = new Promise<void>((resolve, reject) => ([done, fail] = [resolve, reject]));
    const ended = new Promise<void>((resolve) => (end = resolve));
    this.runs.push({ done: () => done?.(), end: () => end?.() });
    const abort = (failure: Failure) => {
      fail(failure);
      end?.();
    };
    return { output, ended, abort, post: () => undefined };
  }

  last = () => this.runs.at(-1);
}

describe('a job', () => {
  let threads: Threads;
  let job: Job<'update'>;
  beforeEach(() => {
    threads = new Threads();
    const folders = { contextOf: () => ({}) };
    const isolation = { planFor: () => ({}) };
    const services = { pool: threads, folders, isolation } as unknown as JobServices;
    job = new Job(operation, {}, {} as never, services);
  });

  const settle = (by: Job<'update'>) => by.thread('settle', entry, { accepted: false });

  it('begins a thread only when the last one has ended, which ends all that carries the mark of the operation', async () => {
    const first = settle(job);
    await turn();
    threads.last()?.done();
    await first;
    const second = settle(job);
    await turn();
    expect(threads.begun).toHaveLength(1);
    threads.last()?.end();
    await turn();
    expect(threads.begun).toHaveLength(2);
    threads.last()?.done();
    await second;
  });

  it('carries through what must be, though it was cancelled', async () => {
    const first = settle(job);
    await turn();
    job.abort(cancelled);
    await expect(first).rejects.toBe(cancelled);
    await expect(settle(job)).rejects.toBe(cancelled);
    const through = job.carryThrough(settle);
    await turn();
    expect(threads.begun).toHaveLength(2);
    job.abort(cancelled);
    threads.last()?.done();
    await through;
  });

  it('needs no place among the workers either, when what it carries through only waits', async () => {
    let places = 1;
    job.giveUpPlace = () => void (places -= 1);
    await job.carryThrough((steady) => Promise.resolve(steady.giveUpPlace()));
    expect(places).toBe(0);
  });

  it.each([
    ['the server ends', new Failure('INTERRUPTED', 'the server is shutting down')],
    ['its repository is unloaded', new Failure('CANCELLED', 'unload', { context: { by: 'unload' } })],
  ])('carries nothing through when %s', async (_, failure) => {
    const through = job.carryThrough(settle);
    await turn();
    job.abort(failure);
    await expect(through).rejects.toBe(failure);
    await expect(job.carryThrough(settle)).rejects.toBe(failure);
    expect(threads.begun).toHaveLength(1);
  });
});
