import { Injectable } from '@nestjs/common';
import { AuditTrail, type Origin } from '../../auth/audit/audit-trail.service.js';
import { requirePermission } from '../../auth/api-key.guard.js';
import { PERMISSION_FOR } from '../../auth/operation-permissions.js';
import type { Principal } from '../../auth/principal.js';
import { failureOfException } from '../../common/failure-of-exception.js';
import { OperationFailure } from '../../common/operation-failure.js';
import { validate } from '../../common/validation.js';
import { Failure } from '../../contracts/failure.js';
import type { Operation } from '../../contracts/shapes.js';
import type { OperationTicket, SubmitContext } from '../../operations/operation-request.js';
import { CloneDto, cloneOptions } from '../dto/clone.dto.js';
import { InstallDto, NoOptionsDto, RunDto, StopDto, UpdateDto } from '../dto/operations.dto.js';
import { OperationReadsService } from '../operation-reads.service.js';
import { RepoService, type RepositoryOperation } from '../repo.service.js';
import { OperationIdDto, type OperationMessageDto } from './messages.dto.js';
import type { Reply } from './reply.js';

export type SocketOrigin = Required<Pick<SubmitContext, 'origin' | 'socketId'>>;

/** Carries out what `repo-operation` asks for. */
@Injectable()
export class SocketOperationsService {
  constructor(
    private readonly repos: RepoService,
    private readonly reads: OperationReadsService,
    private readonly audit: AuditTrail,
  ) {}

  /**
   * Resolves when the message has been taken up: the operation's record exists, and so does a clone's repository. The
   * outcome is answered when it is there, so that the next message of the socket need not wait for it.
   */
  async takeUp(message: OperationMessageDto, caller: Principal, from: SocketOrigin, reply: Reply): Promise<void> {
    const { operation } = message;
    if (operation === 'list') {
      requirePermission(caller, 'read');
      const { options, repoId, repoUrl } = message;
      validate(NoOptionsDto, { ...options, ...(repoId && { repoId }), ...(repoUrl && { repoUrl }) }, 'options');
      reply.succeed(await this.repos.list(caller));
    } else if (operation === 'operation') {
      requirePermission(caller, 'read');
      const found = await this.reads.find(operationIdOf(message), caller);
      reply.succeed(found, found);
    } else if (operation === 'cancel') {
      // It answers once the processes are dead, which may take as long as they like.
      answer(this.cancel(operationIdOf(message), caller, from.origin), reply, (cancelled) => cancelled);
    } else {
      requirePermission(caller, PERMISSION_FOR[operation]);
      const context = { principal: caller, ...from };
      const ticket = await (operation === 'clone'
        ? this.clone(message, context)
        : this.submit(operation, message, context));
      answer(ticket.finished, reply, resultOf);
    }
  }

  private async cancel(operationId: string, caller: Principal, origin: Origin): Promise<Operation> {
    const what = { action: 'cancel', target: operationId };
    try {
      const cancelled = await this.reads.cancel(operationId, caller);
      await this.audit.answered(caller, origin, what);
      return cancelled;
    } catch (error) {
      await this.audit.answered(caller, origin, { ...what, code: failureOfException(error).code });
      throw error;
    }
  }

  private clone({ repoUrl, repoId, options }: OperationMessageDto, context: SubmitContext): Promise<OperationTicket> {
    const given = { ...options, ...(repoUrl !== undefined && { repoUrl }), ...(repoId !== undefined && { repoId }) };
    return this.repos.clone(cloneOptions(validate(CloneDto, given, 'options')), context);
  }

  private submit(
    operation: RepositoryOperation,
    { repoId, options }: OperationMessageDto,
    context: SubmitContext,
  ): Promise<OperationTicket> {
    if (repoId === undefined) throw new Failure('BAD_REQUEST', 'repoId: expected a repoId or uid, got nothing');
    const as = <T extends object>(type: new () => T): T => validate(type, options, 'options');
    switch (operation) {
      case 'install':
        return this.repos.submit(operation, repoId, as(InstallDto), context);
      case 'update':
        return this.repos.submit(operation, repoId, as(UpdateDto), context);
      case 'run':
        return this.repos.submit(operation, repoId, as(RunDto), context);
      case 'stop':
        return this.repos.submit(operation, repoId, as(StopDto), context);
      case 'status':
      case 'unload':
        as(NoOptionsDto);
        return this.repos.submit(operation, repoId, {}, context);
    }
  }
}

const operationIdOf = ({ options }: OperationMessageDto): string =>
  validate(OperationIdDto, options, 'options').operationId;

function resultOf(operation: Operation): unknown {
  if (operation.status !== 'succeeded') throw new OperationFailure(operation);
  return operation.result;
}

function answer(outcome: Promise<Operation>, reply: Reply, result: (operation: Operation) => unknown): void {
  outcome.then((operation) => reply.succeed(result(operation), operation)).catch((error: unknown) => reply.fail(error));
}
