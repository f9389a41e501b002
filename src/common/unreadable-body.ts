import type { NextFunction, Request, Response } from 'express';
import { Failure } from '../contracts/failure.js';

/** The message of the parser shows what it has stumbled over, which may be a secret: it is told in other words. */
export function unreadableBody(error: unknown, _: Request, __: Response, next: NextFunction): void {
  const unreadable = error instanceof Error && 'type' in error && error.type === 'entity.parse.failed';
  next(unreadable ? new Failure('BAD_REQUEST', 'body: expected JSON', { cause: error }) : error);
}
