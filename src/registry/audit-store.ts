import type { FailureCode } from '../contracts/failure-codes.js';

/** What a caller has done, or was refused: who, what, to which repository, when, from where, with what outcome. */
export interface AuditRecord {
  auditId: string;
  /** Epoch milliseconds. */
  time: number;
  owner: string;
  /** Which of the owner's keys. */
  keyId: string;
  /** Which way it came in; `station` is the station itself, which brings an app back. */
  door: 'rest' | 'socket' | 'station';
  /** Network address of the caller; null for the station. */
  address: string | null;
  /** The operation; for all else method and route. */
  action: string;
  repoId: string | null;
  uid: string | null;
  operationId: string | null;
  /** What else it was done to: an owner, or the id of a key, of stored credentials, of an operation. */
  target: string | null;
  /** What exactly, where the action does not say it: the plan that was granted, whose key was made. */
  detail: string | null;
  /** `pending` until the operation has ended; `refused` is what was never begun. */
  outcome: 'pending' | 'succeeded' | 'failed' | 'cancelled' | 'refused';
  /** Why it failed or was refused. */
  code: FailureCode | null;
}

export interface AuditQuery {
  owner?: string;
  action?: string;
  /** A repoId or a uid. */
  repository?: string;
  target?: string;
  outcome?: AuditRecord['outcome'];
  /** Epoch milliseconds, inclusive. */
  since?: number;
  until?: number;
  /** 1 to 200. */
  limit: number;
  /** `nextCursor` of the page before. */
  cursor?: string;
}

/** The audit log, newest first. A port: its token is this class. */
export abstract class AuditStore {
  abstract insert(record: AuditRecord): Promise<void>;
  /** What became of an operation. */
  abstract conclude(operationId: string, outcome: AuditRecord['outcome'], code: AuditRecord['code']): Promise<void>;
  abstract list(query: AuditQuery): Promise<{ records: AuditRecord[]; nextCursor: string | null }>;
  abstract prune(before: number): Promise<void>;
}
