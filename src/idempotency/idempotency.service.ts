import { createHash } from 'node:crypto';
import { Injectable, Logger } from '@nestjs/common';
import type { Principal } from '../auth/principal.js';
import type { StationRequest } from '../common/request-context.js';
import { Failure } from '../contracts/failure.js';
import { IdempotencyStore, type IdempotencyRecord } from '../registry/idempotency-store.js';

/** Within these an Idempotency-Key stands for one request. */
export interface IdempotencyScope {
  owner: string;
  method: string;
  path: string;
  /** The header's value; without one every request is new. */
  key: string | undefined;
  body: unknown;
}

const KEPT_MS = 24 * 60 * 60 * 1000;

/** What is kept of a request's outcome, to find it again. */
type Kept = Pick<IdempotencyRecord, 'operationId' | 'answer'>;

/** How an outcome is kept, and found again: undefined where the request is to be carried out anew. */
export interface Keeping<T> {
  keep(outcome: T): Kept;
  recall(kept: Kept): Promise<T | undefined>;
}

/** A request that is sent again with the same Idempotency-Key gets what the first one got. */
@Injectable()
export class Idempotency {
  private readonly logger = new Logger('Idempotency');
  /** Requests that are just being taken up: a second one waits for the same outcome. */
  private readonly arriving = new Map<string, { bodyDigest: string; outcome: Promise<unknown> }>();

  constructor(private readonly store: IdempotencyStore) {}

  /** For requests that are answered at once; the answer is kept, encrypted. */
  answer<T extends object>(scope: IdempotencyScope, perform: () => Promise<T>): Promise<T> {
    return this.once(scope, perform, {
      keep: (answer) => ({ operationId: null, answer }),
      recall: async ({ answer }) => (answer as T | null) ?? undefined,
    });
  }

  async once<T>(scope: IdempotencyScope, perform: () => Promise<T>, keeping: Keeping<T>): Promise<T> {
    if (scope.key === undefined) return perform();
    const id = digest([scope.owner, scope.method, scope.path, scope.key]);
    const bodyDigest = digest(scope.body ?? null);
    const arriving = this.arriving.get(id);
    if (arriving) {
      refuseOtherBody(arriving.bodyDigest, bodyDigest);
      return arriving.outcome as Promise<T>;
    }
    const outcome = this.recallOrPerform(id, bodyDigest, perform, keeping);
    this.arriving.set(id, { bodyDigest, outcome });
    try {
      return await outcome;
    } finally {
      this.arriving.delete(id);
    }
  }

  private async recallOrPerform<T>(
    scope: string,
    bodyDigest: string,
    perform: () => Promise<T>,
    { keep, recall }: Keeping<T>,
  ): Promise<T> {
    const record = await this.store.find(scope);
    if (record && record.createdAt >= Date.now() - KEPT_MS) {
      refuseOtherBody(record.bodyDigest, bodyDigest);
      const known = await recall(record);
      if (known !== undefined) return known;
    }
    const outcome = await perform();
    try {
      await this.store.save({ scope, bodyDigest, ...keep(outcome), createdAt: Date.now() });
    } catch (error) {
      // It has been done: the caller must hear of it, and what it was answered with may be a key that is told once.
      this.logger.error(`The answer to an Idempotency-Key was not kept: ${String(error)}`);
    }
    return outcome;
  }

  /** Forgets what is older than 24 hours. */
  async prune(): Promise<void> {
    await this.store.prune(Date.now() - KEPT_MS);
  }
}

export function idempotencyScope(request: StationRequest, { owner }: Principal): IdempotencyScope {
  const { method, path } = request;
  const key = method === 'GET' ? undefined : request.get('idempotency-key');
  return { owner, method, path, key, body: request.body as unknown };
}

function refuseOtherBody(first: string, second: string): void {
  if (first === second) return;
  throw new Failure('IDEMPOTENCY_KEY_REUSED', 'This Idempotency-Key came with another body before');
}

function digest(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex');
}
