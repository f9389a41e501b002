export interface IdempotencyRecord {
  /** Digest of owner, method, path and the caller's key. */
  scope: string;
  bodyDigest: string;
  /** The operation that the request has started; null where it is none. */
  operationId: string | null;
  /** What was answered where there is no operation to read it from. Encrypted at rest: it may be a new key. */
  answer: unknown;
  createdAt: number;
}

/** Which requests have been answered with what. A port: its token is this class. */
export abstract class IdempotencyStore {
  abstract find(scope: string): Promise<IdempotencyRecord | undefined>;
  /** Replaces what was kept under the same scope. */
  abstract save(record: IdempotencyRecord): Promise<void>;
  abstract prune(before: number): Promise<void>;
}
