import { Injectable } from '@nestjs/common';
import { requirePermission } from '../auth/api-key.guard.js';
import { PERMISSION_FOR } from '../auth/operation-permissions.js';
import type { Principal } from '../auth/principal.js';
import { maySee, RepositoryAccess } from '../auth/repository-access.js';
import { Failure } from '../contracts/failure.js';
import type { Operation } from '../contracts/shapes.js';
import { LiveOperations } from '../operations/live-operations.service.js';
import { OperationsService } from '../operations/operations.service.js';
import { OperationHistory } from '../registry/operation-history.js';
import { RepositoryRegistry } from '../registry/repository-registry.js';
import type { HistoryQueryDto } from './dto/queries.dto.js';

export interface OperationPage {
  operations: Operation[];
  nextCursor: string | null;
}

const PAGE = 50;

/** Which operations a caller may see and cancel: their own, and those on repositories that they may see. */
@Injectable()
export class OperationReadsService {
  constructor(
    private readonly operations: OperationsService,
    private readonly live: LiveOperations,
    private readonly history: OperationHistory,
    private readonly registry: RepositoryRegistry,
    private readonly access: RepositoryAccess,
  ) {}

  async find(operationId: string, caller: Principal): Promise<Operation> {
    const operation = /^[\w-]{1,100}$/.test(operationId) ? await this.live.find(operationId) : undefined;
    if (operation && (operation.owner === caller.owner || caller.admin)) return operation;
    const entry = operation && (await this.registry.find(operation.uid));
    if (operation && entry && maySee(caller, entry)) return operation;
    throw new Failure('OPERATION_NOT_FOUND', `No operation "${operationId.slice(0, 100)}" that this key may see.`);
  }

  /** Resolves once its processes are dead. */
  async cancel(operationId: string, caller: Principal): Promise<Operation> {
    const operation = await this.find(operationId, caller);
    requirePermission(caller, PERMISSION_FOR[operation.operation]);
    const entry = await this.registry.find(operation.uid);
    if (![operation.owner, entry?.owner].includes(caller.owner) && !caller.admin) {
      throw new Failure('FORBIDDEN', `The operation belongs to ${operation.owner}; it may be read only.`);
    }
    return this.operations.cancel(operationId);
  }

  async list(caller: Principal, { limit = PAGE, cursor }: HistoryQueryDto): Promise<OperationPage> {
    const uids = async () => (await this.access.visible(caller)).map((entry) => entry.uid);
    const visibleTo = caller.admin ? undefined : { owner: caller.owner, uids: await uids() };
    return this.withProgress(await this.history.list({ visibleTo, limit, cursor }));
  }

  async listOf(repoId: string, caller: Principal, { limit = PAGE, cursor }: HistoryQueryDto): Promise<OperationPage> {
    const { uid } = await this.access.toRead(repoId, caller);
    return this.withProgress(await this.history.list({ uid, limit, cursor }));
  }

  /** Progress and queue position change too often for the history: those of unfinished operations are added. */
  private withProgress({ operations, nextCursor }: OperationPage): OperationPage {
    return { operations: this.live.withProgress(operations), nextCursor };
  }
}

export const isUnfinished = ({ status }: Operation): boolean => status === 'queued' || status === 'running';
