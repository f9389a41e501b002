import type { AppEndCause, StoppedByStation } from './stop-reasons.js';
import type { FailureData } from './failure.js';
import type { OperationContract, RepositoryPaths, ThreadOperation } from './operations.js';
import type { ProcessTree } from './process-tree.js';
import type { SandboxPlan } from './sandbox-plan.js';
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
  sandbox: SandboxPlan;
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
  | { type: 'stopping'; reason: StoppedByStation }
  /** The answer to `port-wanted`: null where none is free. */
  | { type: 'port-granted'; port: number | null };

/** Thread → main thread. `done` or `failed` comes exactly once; a session thread goes on afterwards until `app-ended`. */
export type FromThread =
  | { type: 'ready' }
  | { type: 'progress'; phase: string; percent: number | null; message: string }
  /** New lines are in the log, up to this seq, so many bytes on disk; sent every 100 ms, or every MiB. */
  | { type: 'log'; lastSeq: number; bytes: number }
  | { type: 'done'; output: OperationContract[ThreadOperation]['output'] }
  /** `unexpected`, for the server's log, is what nobody has foreseen. */
  | { type: 'failed'; failure: FailureData; unexpected?: string }
  /** The app's process exists: from now on it can be stopped. */
  | { type: 'app-started'; app: App; tree: ProcessTree }
  /** Another process is its first one (the script after its pre-script), or more is needed to find all of it from outside. */
  | { type: 'app-tree'; app: App; tree: ProcessTree }
  /** The app listens on one more port of its own network: a port of the host is wanted for it. */
  | { type: 'port-wanted' }
  /** It listens there no longer, and another port had to be published: the port of the host is free again. */
  | { type: 'port-returned'; port: number }
  /** It listens now (first time, or on other ports than before). */
  | { type: 'app-ready'; app: App }
  /** It has passed a liveness check, the first one that it has. */
  | { type: 'app-healthy' }
  | { type: 'app-ended'; app: App; cause: AppEndCause; reason?: FailureData };
