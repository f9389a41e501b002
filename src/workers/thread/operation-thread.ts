import type { StoppedByStation } from '../../contracts/stop-reasons.js';
import type { OperationContract, ThreadOperation } from '../../contracts/operations.js';
import type { FromThread, ThreadContext } from '../../contracts/worker-messages.js';
import type { LogWriter } from './log-writer.js';
import type { Sandbox } from './sandbox/sandbox.js';

/** What a handler has at hand: its context, its sandbox, its log, and the signal that ends it. */
export interface OperationThread {
  readonly context: ThreadContext;
  readonly sandbox: Sandbox;
  readonly log: LogWriter;
  /** Aborted by cancel, timeout or shutdown; its reason is the Failure to end with. */
  readonly signal: AbortSignal;
  /** `percent` is 0 to 100, or null where the tool does not tell. Told as often as one likes: it is passed on at a pace. */
  progress(phase: string, percent: number | null, message: string): void;
  send(message: FromThread): void;
  /** The thread lives on until this settles: how the thread of a run becomes the session thread of its app. */
  keepAlive(session: Promise<void>): void;
  /** Ends the operation where it has run into a limit that was not seen yet. */
  checkLimits(): Promise<void>;
  /** A port of the host for one more port of the app; null where none is free. */
  anotherPort(): Promise<number | null>;
  /** A port from `anotherPort` that is not needed any more. */
  giveBackPort(port: number): void;
  /** Called when the app is being stopped from outside, with the reason. */
  onStopping(listener: (reason: StoppedByStation) => void): void;
}

export type Handler<K extends ThreadOperation> = (
  input: OperationContract[K]['input'],
  thread: OperationThread,
) => Promise<OperationContract[K]['output']>;
