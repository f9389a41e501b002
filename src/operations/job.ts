import createDebug from 'debug';
import { Failure } from '../contracts/failure.js';
import type { OperationContract, OperationName, ThreadOperation } from '../contracts/operations.js';
import type { Operation } from '../contracts/shapes.js';
import type { FromThread } from '../contracts/worker-messages.js';
import type { RepositoryEntry } from '../registry/repository-entry.js';
import type { RepositoryRegistry } from '../registry/repository-registry.js';
import type { ThreadRun, WorkerPoolService } from '../workers/worker-pool.service.js';
import type { OperationOptions } from '../contracts/operation-options.js';
import type { SubmitContext } from './operation-request.js';
import type { StationFolders } from './station-folders.js';
import type { StationIsolation } from './station-isolation.js';

const debug = createDebug('repo-manager:progress');

/** And nothing else in a sandbox. */
const RUN_GIT = new Set<ThreadOperation>(['clone', 'status', 'update']);

export interface JobServices {
  registry: RepositoryRegistry;
  pool: WorkerPoolService;
  folders: StationFolders;
  isolation: StationIsolation;
  /** The record has changed: phase, percent, message. */
  onProgress(job: AnyJob): void;
  onLog(job: AnyJob, entry: RepositoryEntry, operationId: string, news: LogNews): void;
}

type LogNews = Extract<FromThread, { type: 'log' }>;

interface ThreadOptions {
  /** Names log and process tree, where they are not the operation's own: an app that an update has restarted. */
  runId?: string;
  onAppMessage?(message: FromThread, run: ThreadRun<'run'>): void;
}

/** One operation while it is being carried out: its record, its options, its threads, and the way to end it. */
export class Job<K extends OperationName> {
  private readonly cancellation = new AbortController();
  /** Of a stop: whether its app was just being started, and was ended with that run. */
  hasEndedStart = false;
  /** It goes on waiting, which needs no place among the workers. Set when its turn has come. */
  giveUpPlace: () => void = () => undefined;
  /** After this nothing more is done for the repository. */
  private last: Failure | undefined;
  private steady: Job<K> | undefined;
  /** The end of the last thread, which ends whatever carries the operation's marker: the next one begins after it. */
  private lastThread: Promise<void> = Promise.resolve();

  constructor(
    readonly operation: Operation,
    readonly options: OperationOptions[K],
    readonly context: SubmitContext,
    private readonly services: JobServices,
  ) {}

  get signal(): AbortSignal {
    return this.cancellation.signal;
  }

  /** The repository as it is now. REPO_NOT_FOUND when it has gone meanwhile: its clone failed, or it was unloaded. */
  async entry(): Promise<RepositoryEntry> {
    const entry = await this.services.registry.find(this.operation.uid);
    if (entry) return entry;
    throw new Failure('REPO_NOT_FOUND', `The repository ${this.operation.repoId} is gone`, {
      context: { repoId: this.operation.repoId },
    });
  }

  progress(phase: string, percent: number | null, message: string): void {
    if (phase !== this.operation.phase) {
      debug('%s %s %s: %s', this.operation.operationId, this.operation.repoId, phase, message);
    }
    Object.assign(this.operation, { phase, percent, message });
    this.services.onProgress(this);
  }

  /** Carries one operation out in a fresh thread. Rejects only after the thread and its processes have ended. */
  async thread<T extends ThreadOperation>(
    operation: T,
    entry: RepositoryEntry,
    input: OperationContract[T]['input'],
    { runId = this.operation.operationId, onAppMessage }: ThreadOptions = {},
  ): Promise<OperationContract[T]['output']> {
    await this.lastThread;
    this.signal.throwIfAborted();
    const { folders, isolation } = this.services;
    const plan = isolation.planFor(entry);
    const context = folders.contextOf(entry, runId, plan);
    const run: ThreadRun<T> = this.services.pool.start({
      operation,
      context,
      input,
      onMessage: (message) => {
        if (message.type === 'app-started') isolation.noteSandbox(plan, 'code');
        if (message.type === 'progress') this.progress(message.phase, message.percent, message.message);
        else if (message.type === 'log') this.services.onLog(this, entry, runId, message);
        else onAppMessage?.(message, run as unknown as ThreadRun<'run'>);
      },
    });
    if (runId === this.operation.operationId) this.lastThread = run.ended;
    const abort = () => run.abort(this.signal.reason as Failure);
    this.signal.addEventListener('abort', abort, { once: true });
    try {
      const output = await run.output;
      if (operation === 'install') isolation.noteSandbox(plan, 'code');
      if (RUN_GIT.has(operation)) isolation.noteSandbox(plan, 'git');
      return output;
    } catch (error) {
      if (error instanceof Failure && error.code === 'SANDBOX_UNAVAILABLE')
        isolation.noteSandbox(plan, RUN_GIT.has(operation) ? 'git' : 'code', error);
      await run.ended;
      throw error;
    } finally {
      this.signal.removeEventListener('abort', abort);
    }
  }

  /**
   * Does what has to finish even when the operation was cancelled or has timed out: in threads that its abort does not end,
   * with the same time once more. Rejects while the repository is being unloaded or the server shuts down: the unload, or
   * the next start, then deals with what is left.
   */
  async carryThrough<R>(work: (job: Job<K>) => Promise<R>): Promise<R> {
    if (this.last) throw this.last;
    const { timeoutMs } = this.operation;
    const steady = new Job<K>(this.operation, this.options, this.context, this.services);
    steady.lastThread = this.lastThread;
    steady.giveUpPlace = this.giveUpPlace;
    this.steady = steady;
    const timeout = setTimeout(
      () =>
        steady.abort(new Failure('TIMED_OUT', `It took longer than ${timeoutMs} ms to bring the operation to an end`)),
      timeoutMs,
    );
    try {
      return await work(steady);
    } finally {
      clearTimeout(timeout);
    }
  }

  /** The first reason counts. */
  abort(failure: Failure): void {
    this.cancellation.abort(failure);
    if (!isLast(failure)) return;
    this.last ??= failure;
    this.steady?.abort(failure);
  }
}

const isLast = ({ code, context }: Failure): boolean => code === 'INTERRUPTED' || context?.by === 'unload';

export type AnyJob = Job<OperationName>;

/** What surrounds an operation's thread on the main side: whether the state allows it, what it is given, what its outcome changes. */
export interface Procedure<K extends OperationName> {
  /** Resolves to the result as clients see it. */
  perform(job: Job<K>): Promise<unknown>;
}
