/**
 * Which of the station's hands carry an operation out. Light ones never wait behind heavy ones:
 * `work` is clone, install, update and start, at most MAX_WORKERS of them; `read` is status; `control` is stop and
 * unload; `foreground` is a run that is waited for to its end: it holds its repository, but no place among the workers.
 */
export type Lane = 'work' | 'read' | 'control' | 'foreground';

export const isLight = (lane: Lane): boolean => lane === 'read' || lane === 'control';

export interface QueueItem {
  operationId: string;
  uid: string;
  owner: string;
  lane: Lane;
  /** How many of the owner's in this lane may be carried out at the same time; null: as many as the lane has room for. */
  atOnce: number | null;
  /** One of these at a time per repository, in the order of arrival. */
  exclusive: boolean;
  /**
   * Carries it out. The place is free again when this settles, or gives it up before: then it holds its repository alone.
   * Never rejects.
   */
  start(giveUpPlace: () => void): Promise<void>;
}

export interface QueueStats {
  queued: number;
  /** How many may wait. */
  maxQueued: number;
  /** Of what is work: status, stop and unload run beside it. */
  running: number;
  maxRunning: number;
  draining: boolean;
}

/** Decides what starts when. A port: its token is this class. */
export abstract class OperationQueue {
  /** Rejects by throwing QUEUE_FULL or DRAINING. */
  abstract add(item: QueueItem): void;
  /** Takes waiting items out; those of the ids that have started or are unknown are not among the returned ones. */
  abstract remove(operationIds: readonly string[]): Set<string>;
  /** 1 is next in its lane; undefined when it does not wait. */
  abstract position(operationId: string): number | undefined;
  /** How much of an owner's work waits: not what is light. */
  abstract waitingOf(owner: string): number;
  abstract stats(): QueueStats;
  /** From now on nothing is added, and what waits stays waiting. */
  abstract drain(): void;
  /** Calls back soon after positions may have changed, once for all the changes of a moment. */
  abstract onMoved(listener: () => void): void;
}
