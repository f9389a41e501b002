import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Failure } from '../contracts/failure.js';
import { IdempotencyStore } from '../registry/idempotency-store.js';
import type { OperationTicket } from './operation-request.js';
import { OperationsService } from './operations.service.js';

/** What the same Idempotency-Key means the same request in. */
export interface IdempotencyScope {
  owner: string;
  method: string;
  path: string;
  /** The header's value; without one every request is new. */
  key: string | undefined;
  body: unknown;
}

const KEPT_MS = 24 * 60 * 60 * 1000;

/** A request that is sent again with the same Idempotency-Key gets the operation that the first one started. */
@Injectable()
export class Idempotency {
  /** Requests whose operation is just being accepted: a second one waits for the same ticket. */
  private readonly arriving = new Map<string, { bodyDigest: string; ticket: Promise<OperationTicket> }>();

  constructor(
    private readonly store: IdempotencyStore,
    private readonly operations: OperationsService,
  ) {}

  async run(scope: IdempotencyScope, submit: () => Promise<OperationTicket>): Promise<OperationTicket> {
    if (scope.key === undefined) return submit();
    const id = digest([scope.owner, scope.method, scope.path, scope.key]);
    const bodyDigest = digest(scope.body ?? null);
    const arriving = this.arriving.get(id);
    if (arriving) {
      refuseOtherBody(arriving.bodyDigest, bodyDigest);
      return arriving.ticket;
    }
    const ticket = this.earlier(id, bodyDigest).then((known) => known ?? this.begin(id, bodyDigest, submit));
    this.arriving.set(id, { bodyDigest, ticket });
    try {
      return await ticket;
    } finally {
      this.arriving.delete(id);
    }
  }

  private async begin(
    scope: string,
    bodyDigest: string,
    submit: () => Promise<OperationTicket>,
  ): Promise<OperationTicket> {
    const ticket = await submit();
    const { operationId } = ticket.operation;
    await this.store.save({ scope, bodyDigest, operationId, createdAt: Date.now() });
    return ticket;
  }

  /** One whose operation was interrupted by the end of the server starts anew. */
  private async earlier(scope: string, bodyDigest: string): Promise<OperationTicket | undefined> {
    const record = await this.store.find(scope);
    if (!record || record.createdAt < Date.now() - KEPT_MS) return undefined;
    refuseOtherBody(record.bodyDigest, bodyDigest);
    const ticket = await this.operations.ticket(record.operationId);
    return ticket?.operation.error?.code === 'INTERRUPTED' ? undefined : ticket;
  }

  /** Forgets what is older than 24 hours. */
  async prune(): Promise<void> {
    await this.store.prune(Date.now() - KEPT_MS);
  }
}

function refuseOtherBody(first: string, second: string): void {
  if (first === second) return;
  throw new Failure('IDEMPOTENCY_KEY_REUSED', 'This Idempotency-Key came with another body before');
}

function digest(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex');
}
