import type { Operation } from '../contracts/shapes.js';

export const KEPT_PER_REPOSITORY = 200;

export interface HistoryQuery {
  /** Only this repository's. */
  uid?: string;
  /** Only what this owner may see: their own operations, and those on the given repositories. */
  visibleTo?: { owner: string; uids: string[] };
  /** 1 to 200. */
  limit: number;
  /** `nextCursor` of the page before. */
  cursor?: string;
}

/** Which operations there were, newest first. A port: its token is this class. */
export abstract class OperationHistory {
  abstract insert(operation: Operation): Promise<void>;
  /** Replaces the record, or makes it. On a full disk it is written later. */
  abstract save(operation: Operation): Promise<void>;
  abstract find(operationId: string): Promise<Operation | undefined>;
  abstract list(query: HistoryQuery): Promise<{ operations: Operation[]; nextCursor: string | null }>;
  /** Those that were queued or running: after a start, what the last life of the server left unfinished. */
  abstract unfinished(): Promise<Operation[]>;
  /** Removes what is beyond `KEPT_PER_REPOSITORY`, or finished before `before` and of no repository; returns their ids. */
  abstract prune(before: number): Promise<{ operationId: string; uid: string }[]>;
}
