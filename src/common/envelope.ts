import type { OperationName } from '../contracts/operation-names.js';
import type { Operation } from '../contracts/shapes.js';

/** What is done at once, and leaves no record. */
export type ReadName = 'list' | 'get' | 'patch';

/** How every successful request is answered. */
export interface Success<T> {
  success: true;
  operation?: OperationName | ReadName;
  operationId?: string;
  repoId?: string;
  uid?: string;
  result: T;
}

type About = Pick<Success<unknown>, 'operation' | 'operationId' | 'repoId' | 'uid'>;

export function success<T>(result: T, { operation, operationId, repoId, uid }: About = {}): Success<T> {
  return { success: true, operation, operationId, repoId, uid, result };
}

/** The record of an operation itself. */
export const aboutOperation = (operation: Operation): Success<Operation> => success(operation, operation);
