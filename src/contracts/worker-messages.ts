import type { FailureData } from './failure.js';
import type { OperationContract, RepositoryPaths, ThreadOperation } from './operations.js';
import type { ProcessTree } from './process-tree.js';
import type { App } from './shapes.js';

/** What every operation's thread is told besides its input. */
export interface ThreadContext {
  operationId: string;
  uid: string;
  repoId: string;
  paths: RepositoryPaths;
  /** Names the process tree of the operation. */
  marker: string;
  log: { directory: string; maxBytes: number; files: number };
  sandbox: { driver: 'none' };
}

export interface StartMessage<K extends ThreadOperation = ThreadOperation> {
  type: 'start';
  operation: K;
  context: ThreadContext;
  input: OperationContract[K]['input'];
}

/** Main thread → thread. */
export type ToThread =
  | StartMessage
  /** End the work and its processes, and fail with this reason. */
  | { type: 'abort'; reason: FailureData }
  /** To a session thread: the app is being stopped from outside; its end is no crash. */
  | { type: 'stopping'; reason: string };

/** Thread → main thread. `done` or `failed` comes exactly once; a session thread goes on afterwards until `app-ended`. */
export type FromThread =
  | { type: 'ready' }
  | { type: 'progress'; phase: string; percent: number | null; message: string }
  /** New lines are in the log, up to this seq; sent at most every 100 ms. */
  | { type: 'log'; lastSeq: number }
  | { type: 'done'; output: OperationContract[ThreadOperation]['output'] }
  | { type: 'failed'; failure: FailureData }
  /** The app's process exists: from now on it can be stopped. */
  | { type: 'app-started'; app: App; tree: ProcessTree }
  /** Another process is its first one (the script after its pre-script), or more is needed to find all of it from outside. */
  | { type: 'app-tree'; app: App; tree: ProcessTree }
  /** It listens now (first time, or on other ports than before). */
  | { type: 'app-ready'; app: App }
  | { type: 'app-ended'; app: App; cause: AppEndCause };

/** The first cause wins: a stop that has to kill is a stop, not a crash. */
export type AppEndCause = 'exited' | 'crashed' | 'stopped' | 'unhealthy' | 'cancelled' | 'timed-out';
