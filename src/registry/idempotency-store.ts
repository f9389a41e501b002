export interface IdempotencyRecord {
  /** Digest of owner, method, path and the caller's key. */
  scope: string;
  bodyDigest: string;
  operationId: string;
  createdAt: number;
}

/** Which requests have been answered with which operation. A port: its token is this class. */
export abstract class IdempotencyStore {
  abstract find(scope: string): Promise<IdempotencyRecord | undefined>;
  /** Replaces what was kept under the same scope. */
  abstract save(record: IdempotencyRecord): Promise<void>;
  abstract prune(before: number): Promise<void>;
}
