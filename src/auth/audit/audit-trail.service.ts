import { randomBytes } from 'node:crypto';
import { Injectable, Logger } from '@nestjs/common';
import { AuditStore, type AuditRecord } from '../../registry/audit-store.js';
import type { FailureCode } from '../../contracts/failure-codes.js';
import type { Operation } from '../../contracts/shapes.js';
import type { Principal } from '../principal.js';

/** How somebody has reached the station. */
export interface Origin {
  door: 'rest' | 'socket';
  /** Network address. */
  address: string | null;
}

interface Answer {
  action: string;
  repoId?: string;
  uid?: string;
  target?: string;
  detail?: string;
  /** Undefined where it has succeeded, and is no operation. */
  code?: FailureCode;
}

/** Of a repository; what a caller has sent in its place may hold secrets. */
const NAME = /^[\w.-]{1,200}$/;

/** Keeps who did what. A record that could not be written never fails the request: the server's log tells of it. */
@Injectable()
export class AuditTrail {
  private readonly logger = new Logger('Audit');

  constructor(private readonly store: AuditStore) {}

  /** An operation was accepted. */
  async accepted({ operation, operationId, repoId, uid }: Operation, by: Principal, origin?: Origin): Promise<void> {
    await this.keep(by, origin, {
      action: operation,
      repoId,
      uid,
      operationId,
      target: null,
      detail: null,
      outcome: 'pending',
      code: null,
    });
  }

  /** An operation has ended. */
  async concluded({ operationId, status, error }: Operation): Promise<void> {
    if (status === 'queued' || status === 'running') return;
    await this.trying(this.store.conclude(operationId, status, error?.code ?? null));
  }

  /** Something else was done, or something was refused. */
  async answered(
    by: Pick<Principal, 'owner' | 'keyId'>,
    origin: Origin,
    { action, repoId, uid, target, detail, code }: Answer,
  ): Promise<void> {
    const outcome = code === undefined ? 'succeeded' : 'refused';
    await this.keep(by, origin, {
      action,
      repoId: repoId !== undefined && NAME.test(repoId) ? repoId : null,
      uid: uid ?? null,
      operationId: null,
      target: target ?? null,
      detail: detail ?? null,
      outcome,
      code: code ?? null,
    });
  }

  private async keep(
    { owner, keyId }: Pick<Principal, 'owner' | 'keyId'>,
    { door, address }: Origin | { door: 'station'; address: null } = { door: 'station', address: null },
    what: Pick<AuditRecord, 'action' | 'repoId' | 'uid' | 'operationId' | 'target' | 'detail' | 'outcome' | 'code'>,
  ): Promise<void> {
    const auditId = `au_${randomBytes(8).toString('hex')}`;
    await this.trying(this.store.insert({ auditId, time: Date.now(), owner, keyId, door, address, ...what }));
  }

  private async trying(write: Promise<void>): Promise<void> {
    await write.catch((error: unknown) => this.logger.error(`The audit log has a gap: ${String(error)}`));
  }
}
