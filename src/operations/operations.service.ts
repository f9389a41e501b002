import type { OperationName } from '../contracts/operations.js';
import type { RepositoryEntry } from '../registry/repository-entry.js';
import type { CloneOptions, OperationOptions, OperationTicket, SubmitContext } from './operation-request.js';

/** The one way to have something done to a repository, for every door. */
export declare class OperationsService {
  /** Enters the repository and queues its clone. Rejects with ALREADY_LOADED, QUEUE_FULL, DRAINING, INVALID_URL … before anything has started. */
  clone(options: CloneOptions, context: SubmitContext): Promise<OperationTicket>;
  /** Queues an operation on a repository that the caller was found to be allowed to change. */
  submit<K extends Exclude<OperationName, 'clone'>>(
    operation: K,
    entry: RepositoryEntry,
    options: OperationOptions[K],
    context: SubmitContext,
  ): Promise<OperationTicket>;
  /** Resolves once its processes are dead. ALREADY_FINISHED when there is nothing to cancel. */
  cancel(operationId: string): Promise<import('../contracts/shapes.js').Operation>;
  /** The record as it is now, with live progress and queue position. */
  find(operationId: string): Promise<import('../contracts/shapes.js').Operation | undefined>;
  /** The operation in progress or next in turn on a repository, for `activeOperation`. */
  active(uid: string): import('../contracts/shapes.js').ActiveOperation | undefined;
}
