import { Failure } from '../contracts/failure.js';
import type { Operation } from '../contracts/shapes.js';

/** What whoever waited for an operation is told when it did not succeed: its error, and which operation it was. */
export class OperationFailure extends Failure {
  constructor(readonly operation: Operation) {
    const { error } = operation;
    super(
      operation.status === 'cancelled' ? 'CANCELLED' : (error?.code ?? 'INTERNAL_ERROR'),
      error?.message ?? `The ${operation.operation} of ${operation.repoId} was cancelled.`,
      error,
    );
  }
}
