import type { RequestHandler } from 'express';
import { Failure } from '../contracts/failure.js';
import type { StationRequest } from './request-context.js';

/**
 * Keeps an error of the body parser on the request: authentication and routing come first, as only they know whether the
 * caller may do this at all, and what it is.
 */
export function deferBodyError(readBody: RequestHandler): RequestHandler {
  return (request, response, next) =>
    readBody(request, response, (error?: unknown) => {
      if (error instanceof Error) (request as StationRequest).bodyError = inOtherWords(error);
      next();
    });
}

/** The message of the parser shows what it has stumbled over, which may be a secret. */
function inOtherWords(error: Error): Error {
  const isBroken = 'type' in error && error.type === 'entity.parse.failed';
  return isBroken ? new Failure('BAD_REQUEST', 'body: expected JSON', { cause: error }) : error;
}
