import { HttpException } from '@nestjs/common';
import type { FailureCode } from '../contracts/failure-codes.js';
import { Failure } from '../contracts/failure.js';
import { OperationFailure } from './operation-failure.js';

const CODE_BY_STATUS: Record<number, FailureCode> = {
  401: 'UNAUTHORIZED',
  403: 'FORBIDDEN',
  404: 'NOT_FOUND',
  405: 'NOT_FOUND',
  413: 'TOO_LARGE',
};

/**
 * Any exception as a failure. What Nest, Express and the body parser say about a bad request is the caller's to know;
 * of everything else the caller learns that it happened, and the log the rest.
 */
export function failureOfException(exception: unknown): Failure {
  if (exception instanceof OperationFailure) return exception; // its error can be read from the operation anyway
  if (exception instanceof Failure && exception.code !== 'INTERNAL_ERROR') return exception;
  const status = statusOf(exception);
  if (status !== undefined && status < 500) {
    return new Failure(CODE_BY_STATUS[status] ?? 'BAD_REQUEST', (exception as Error).message, { cause: exception });
  }
  const known = Failure.of(exception);
  if (known.code !== 'INTERNAL_ERROR') return new Failure(known.code, 'The disk is full.', { cause: exception });
  return new Failure('INTERNAL_ERROR', 'Something went wrong on the server.', { cause: exception });
}

/** `http-errors`, which Express and its body parser throw, says by `expose` whether its message is for the client. */
function statusOf(exception: unknown): number | undefined {
  if (exception instanceof HttpException) return exception.getStatus();
  if (!(exception instanceof Error)) return undefined;
  const { status, expose } = exception as Error & { status?: unknown; expose?: unknown };
  if (exception instanceof URIError) return 400;
  return typeof status === 'number' && (expose === true || status < 500) ? status : undefined;
}
