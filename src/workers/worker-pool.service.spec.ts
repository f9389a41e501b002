import { readdirSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Logger } from '@nestjs/common';
import { UNCONFINED } from '../../test/support/sandbox-plans.js';
import { eventually } from '../../test/support/eventually.js';
import { processesMentioning } from '../../test/support/processes.mjs';
import { zombiesOf } from '../../test/support/traces.js';
import { Failure } from '../contracts/failure.js';
import { WorkerPoolService, type ThreadRun } from './worker-pool.service.js';

const MARKER = `worker-pool-spec:${process.pid}`;
const ROUNDS = 2;
const AT_ONCE = 5;
const SPARE = 2;
const ABORT_GRACE_MS = 200;

async function repeat(once: () => Promise<void>): Promise<void> {
  for (let round = 0; round < ROUNDS; round += 1) await Promise.all(Array.from({ length: AT_ONCE }, once));
}

// jest ends a test process that prints the words "heap out of memory", whichever of its threads they are about.
Logger.overrideLogger(false);

describe('the worker pool', () => {
  const pool = new WorkerPoolService({
    entry: new URL('../../test/fixtures/workers/entry.js', import.meta.url),
    memoryMb: 16,
    spare: SPARE,
    abortGraceMs: ABORT_GRACE_MS,
  });
  let started = 0;
  afterAll(() => pool.close(new Failure('DRAINING', 'the tests are over')));

  function start(fault?: string): ThreadRun<'unload'> {
    const operationId = `op_${++started}`;
    const paths = { workspace: '/', home: '/', staging: '/' };
    const log = { directory: '/', maxBytes: 1, files: 1 };
    return pool.start({
      operation: 'unload',
      context: {
        operationId,
        uid: 'r_1',
        repoId: fault ?? 'none',
        paths,
        log,
        sandbox: UNCONFINED,
        marker: `${MARKER}:${operationId}`,
      },
      input: {},
      onMessage: () => undefined,
    });
  }

  /** Node.js starts the helpers of the main thread at their first use: before they are counted. */
  beforeAll(async () => {
    await stat('/');
    await start().output;
  });

  /** The main thread, its helpers, and one for each worker. */
  const threads = () => readdirSync('/proc/self/task').length;

  async function isWhole(threadsBefore: number): Promise<void> {
    expect(processesMentioning(MARKER)).toEqual([]);
    expect(zombiesOf(process)).toEqual([]);
    expect(pool.stats()).toEqual({ busy: 0, idle: SPARE, threads: [] });
    await eventually('the threads have gone', () => threads() <= threadsBefore);
    expect(await start().output).toEqual({ freedBytes: 7 });
  }

  it.each([
    ['exits', 'the thread exited with code 1'],
    ['throws', 'outside of any promise'],
    ['throws-nothing', 'it threw undefined'],
    ['rejects', 'handled by nobody'],
    ['throws-unclonable', 'no thread can be told this'],
    ['posts-unclonable', 'it threw'],
    ['runs-out-of-memory', 'memory limit'],
  ])(
    'is whole again after a thread that %s, each time',
    async (fault, message) => {
      const before = threads();
      await repeat(async () => {
        const run = start(fault);
        await expect(run.output).rejects.toMatchObject({
          code: 'WORKER_CRASHED',
          message: expect.stringContaining(message) as unknown,
        });
        await run.ended;
      });
      await isWhole(before);
    },
    60_000,
  );

  it.each(['blocks', 'loops'])('ends a thread that %s by force, each time', async (fault) => {
    const before = threads();
    const failure = new Failure('TIMED_OUT', 'too long');
    await repeat(async () => {
      const run = start(fault);
      run.abort(failure);
      run.abort(new Failure('CANCELLED', 'too late to be the reason'));
      await expect(run.output).rejects.toBe(failure);
      await run.ended;
    });
    await isWhole(before);
  });

  it('does not count on a waiting thread that has died', async () => {
    const broken = new WorkerPoolService({
      memoryMb: 16,
      spare: 1,
      abortGraceMs: ABORT_GRACE_MS,
      entry: new URL('data:text/javascript,process.exit()'),
    });
    expect(broken.stats().idle).toBe(1);
    await eventually('it has died', () => broken.stats().idle === 0);
    await broken.close(new Failure('DRAINING', 'the test is over'));
  });

  it('takes nothing any more once it is closed, and ends what is under way', async () => {
    const closing = new WorkerPoolService({
      memoryMb: 16,
      spare: 1,
      abortGraceMs: ABORT_GRACE_MS,
      entry: new URL('../../test/fixtures/workers/entry.js', import.meta.url),
    });
    const failure = new Failure('DRAINING', 'the server goes down');
    await closing.close(failure);
    expect(() =>
      closing.start({ operation: 'unload', context: undefined as never, input: {}, onMessage: () => undefined }),
    ).toThrow(expect.objectContaining({ code: 'DRAINING' }));
    expect(closing.stats()).toEqual({ busy: 0, idle: 0, threads: [] });
  });
});
