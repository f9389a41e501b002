import { randomUUID } from 'node:crypto';
import { Logger } from '@nestjs/common';
import { isPlainObject } from '../../common/fields.js';
import { failureOfException } from '../../common/failure-of-exception.js';
import { OperationFailure } from '../../common/operation-failure.js';
import type { FailureCode } from '../../contracts/failure-codes.js';
import type { RepoError, RepoSuccess, StationSocket } from './station-socket.js';

const logger = new Logger('Sockets');
const CHANGES = new Set<string>(['clone', 'install', 'update', 'run', 'stop', 'unload', 'cancel']);

/** The answer to one message: to its sender and to its acknowledgement callback, exactly once. */
export class Reply {
  readonly requestId: string;
  private readonly operation: string;
  private readonly repoId: string | undefined;
  private answered = false;

  constructor(
    private readonly socket: StationSocket,
    event: string,
    private readonly acknowledge: ((answer: unknown) => void) | undefined,
    body: unknown,
  ) {
    // Also a malformed message gets its answer addressed as well as it can be.
    const given = isPlainObject(body) ? body : {};
    const { requestId } = given;
    // A number is refused; its sender recognizes the answer all the same.
    this.requestId = textOf(typeof requestId === 'number' ? String(requestId) : requestId) ?? randomUUID();
    this.operation = event === 'repo-operation' ? (textOf(given.operation) ?? 'unknown') : event;
    this.repoId = textOf(given.repoId);
  }

  succeed(result: unknown, about: { operationId?: string; repoId?: string; uid?: string } = {}): void {
    const { operationId, repoId, uid } = about;
    const success: RepoSuccess = {
      operation: this.operation,
      operationId,
      repoId,
      uid,
      requestId: this.requestId,
      result,
    };
    this.once(success, () => this.socket.emit('repo-success', success));
  }

  /** The answer of a message that has no `repo-success`: to its acknowledgement only. */
  confirm(answer: object): void {
    this.once(answer);
  }

  fail(exception: unknown): void {
    const failure = failureOfException(exception);
    const operation = failure instanceof OperationFailure ? failure.operation : undefined;
    if (failure.code === 'INTERNAL_ERROR' && !operation) {
      const trace = exception instanceof Error ? exception.stack : String(exception);
      logger.error(`A message failed unexpectedly, request ${this.requestId}`, trace);
    }
    const error: RepoError = {
      operation: this.operation,
      operationId: operation?.operationId,
      repoId: operation?.repoId ?? this.repoId,
      requestId: this.requestId,
      error: failure.toData(),
    };
    this.once(error, () => this.socket.emit('repo-error', error));
  }

  /** Whether it was asked to change something. */
  get isOfChange(): boolean {
    return CHANGES.has(this.operation);
  }

  /** For the audit log. */
  refusal(exception: unknown): { action: string; repoId?: string; code: FailureCode } {
    return { action: this.operation, repoId: this.repoId, code: failureOfException(exception).code };
  }

  private once(answer: object, emit?: () => void): void {
    if (this.answered) return;
    this.answered = true;
    emit?.();
    this.acknowledge?.(answer);
  }
}

const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' && value.length <= 200 ? value : undefined;
