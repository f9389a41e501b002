import { inspect } from 'node:util';
import { Worker } from 'node:worker_threads';
import { Injectable, Logger } from '@nestjs/common';
import createDebug from 'debug';
import { deferred } from '../common/deferred.js';
import { Failure } from '../contracts/failure.js';
import type { OperationContract, ThreadOperation } from '../contracts/operations.js';
import type { FromThread, StartMessage, ThreadContext, ToThread } from '../contracts/worker-messages.js';
import { withoutPaths } from '../machine/bounded.js';
import { killTree } from '../machine/end-tree.js';
import { findTree } from '../machine/process-tree.js';
import { reapOrphans } from '../machine/reap-orphans.js';
import { removeLaunchFolder } from './thread/sandbox/launch-folder.js';
import { clearStaging } from './thread/workspace/scratch-folder.js';

const debug = createDebug('repo-manager:threads');
const logger = new Logger('Threads');

export interface WorkerPoolOptions {
  /** Compiled entry of the threads. */
  entry: URL;
  /** MiB of JavaScript heap of one thread. */
  memoryMb: number;
  /** How many threads are kept waiting ahead of need. */
  spare: number;
  /** Milliseconds that a thread has between the abort and its forced end. */
  abortGraceMs: number;
}

export interface ThreadRequest<K extends ThreadOperation> {
  operation: K;
  context: ThreadContext;
  input: OperationContract[K]['input'];
  /** Everything that the thread says but `ready`, `done` and `failed`. */
  onMessage(message: FromThread): void;
}

/** One operation in its thread. */
export interface ThreadRun<K extends ThreadOperation> {
  /** Rejects with the Failure that ended it. */
  output: Promise<OperationContract[K]['output']>;
  /** The thread has ended, and so has every process that it started. Never rejects. */
  ended: Promise<void>;
  /** Ends the work with this failure; the first one counts. */
  abort(failure: Failure): void;
  post(message: ToThread): void;
}

export interface ThreadStats {
  operationId: string;
  operation: ThreadOperation;
  repoId: string;
  /** `session` once the operation is done and the thread lives on with its app. */
  state: 'busy' | 'aborting' | 'session';
  startedAt: number;
}

export interface PoolStats {
  /** Threads that carry an operation out. */
  busy: number;
  /** Threads that wait for one. */
  idle: number;
  threads: ThreadStats[];
}

/** Of the heap of one thread. With the default (48) a flood of output costs three times the memory and is read no faster. */
const YOUNG_MB = 12;

/**
 * A fresh thread for every operation, started ahead of need. Whatever a thread does (exit, throw, run out of memory,
 * loop for ever) costs its own operation only: it fails with a code, its processes are killed, and nothing is leaked.
 */
@Injectable()
export class WorkerPoolService {
  private spare: Worker[] = [];
  private readonly running = new Map<string, { stats: ThreadStats; run: ThreadRun<ThreadOperation> }>();
  private closed = false;

  constructor(private readonly options: WorkerPoolOptions) {
    this.replenish();
  }

  start<K extends ThreadOperation>(request: ThreadRequest<K>): ThreadRun<K> {
    if (this.closed) throw new Failure('DRAINING', 'The server is shutting down');
    const worker = this.spare.shift() ?? this.create();
    this.replenish();
    worker.removeAllListeners();
    const { operationId, repoId } = request.context;
    const stats: ThreadStats = {
      operationId,
      operation: request.operation,
      repoId,
      state: 'busy',
      startedAt: Date.now(),
    };
    const run = carryOut(worker, request, stats, this.options.abortGraceMs);
    // Keyed by thread, not by operation: an update with restart uses several threads for one operation.
    const key = `${operationId}:${worker.threadId}`;
    this.running.set(key, { stats, run });
    debug('%s %s %s: thread %d begins', operationId, repoId, request.operation, worker.threadId);
    void run.ended.then(() => {
      this.running.delete(key);
      debug('%s %s %s: its thread and processes have ended', operationId, repoId, request.operation);
    });
    return run;
  }

  stats(): PoolStats {
    const threads = [...this.running.values()].map(({ stats }) => ({ ...stats }));
    return { busy: threads.filter(({ state }) => state !== 'session').length, idle: this.spare.length, threads };
  }

  /** Aborts every thread, and resolves when all have ended with their processes. */
  async close(failure: Failure): Promise<void> {
    this.closed = true;
    await Promise.all(this.spare.splice(0).map((worker) => worker.terminate()));
    const runs = [...this.running.values()].map(({ run }) => run);
    for (const run of runs) run.abort(failure);
    await Promise.all(runs.map((run) => run.ended));
  }

  private replenish(): void {
    while (!this.closed && this.spare.length < this.options.spare) this.spare.push(this.create());
  }

  private create(): Worker {
    const worker = new Worker(this.options.entry, {
      resourceLimits: { maxOldGenerationSizeMb: this.options.memoryMb, maxYoungGenerationSizeMb: YOUNG_MB },
    });
    // A spare thread that ends before it is needed is replaced when the next one is taken.
    worker.once('exit', () => {
      this.spare = this.spare.filter((one) => one !== worker);
    });
    worker.once('error', () => undefined);
    worker.unref();
    return worker;
  }
}

function carryOut<K extends ThreadOperation>(
  worker: Worker,
  request: ThreadRequest<K>,
  stats: ThreadStats,
  abortGraceMs: number,
): ThreadRun<K> {
  const output = deferred<OperationContract[K]['output']>();
  let failure: Failure | undefined;
  let hasSpoken = false;
  let lastResort: NodeJS.Timeout | undefined;
  const abort = (reason: Failure) => {
    if (failure) return;
    failure = reason;
    stats.state = 'aborting';
    worker.postMessage({ type: 'abort', reason: reason.toData() } satisfies ToThread);
    lastResort = setTimeout(() => void worker.terminate(), abortGraceMs);
  };
  worker.on('message', (message: FromThread) => {
    if (message.type === 'ready') return;
    hasSpoken ||= message.type === 'failed' || message.type === 'done';
    if (message.type === 'failed') {
      if (message.unexpected) logger.error(`${request.operation} of ${request.context.repoId}: ${message.unexpected}`);
      output.reject(failure ?? Failure.from(message.failure));
    } else if (message.type === 'done') {
      stats.state = 'session';
      output.resolve(message.output);
    } else request.onMessage(message);
  });
  worker.on('error', (error) => {
    failure ??= crash(request.operation, error);
  });
  worker.on('messageerror', (error) => {
    abort(crash(request.operation, error));
  });

  const ended = new Promise<void>((resolve) => {
    worker.once('exit', (code) => {
      clearTimeout(lastResort);
      const conclude = (error: unknown = new Error(`the thread exited with code ${code}`)) => {
        if (!hasSpoken) output.reject(failure ?? crash(request.operation, error));
        resolve();
      };
      // A thread that was ended by force could not end its processes, nor remove what they had.
      void removeRemains(request.context).then(() => conclude(), conclude);
    });
  });
  output.promise.catch(() => undefined); // whoever waits hears of it; nobody may be waiting
  worker.ref();
  worker.postMessage({
    type: 'start',
    operation: request.operation,
    context: request.context,
    input: request.input,
  } satisfies StartMessage<K>);
  return { output: output.promise, ended, abort, post: (message) => worker.postMessage(message) };
}

async function removeRemains(context: ThreadContext): Promise<void> {
  await killTree(() => findTree({ marker: context.marker }));
  await reapOrphans();
  await removeLaunchFolder(context);
  await clearStaging(context);
}

/** What it was exactly stands in the server's log: of an error of anywhere in the server callers learn no paths. */
function crash(operation: ThreadOperation, error: unknown): Failure {
  logger.error(`The thread of ${operation} has crashed: ${inspect(error)}`);
  const code = (error as NodeJS.ErrnoException | null | undefined)?.code;
  return new Failure('WORKER_CRASHED', `${reasonOf(error)}: the thread of ${operation}`, {
    cause: error,
    ...(code === 'ERR_WORKER_OUT_OF_MEMORY' && { retryable: false, suggestion: 'Raise WORKER_MEMORY_MB.' }),
  });
}

/**
 * Not everything that is thrown is an Error, an Error from another thread is none any more, and of a DOMException nothing
 * at all gets through.
 */
function reasonOf(error: unknown): string {
  const { message } = Object(error) as { message?: unknown };
  if (typeof message === 'string' && message !== '') return withoutPaths(message);
  return `it threw ${typeof error === 'object' ? 'an object' : withoutPaths(inspect(error))}`;
}
