import { json, type NextFunction, type Request, type RequestHandler } from 'express';
import { refuseExcess } from '../common/bounds.js';
import { Failure } from '../contracts/failure.js';
import type { ApiKeysService } from './api-keys.service.js';
import { bearerOf } from './bearer.js';

const MAX_BODY = '1mb';

/**
 * Reads JSON bodies, of requests with a valid key only: no public route takes one, and a stranger's is not worth the
 * time to parse it. The guard refuses the request afterwards as it refuses any; it looks at the key anew, which may have
 * ended while a body took its time to come.
 */
export function authenticatedJsonBody(keys: ApiKeysService): RequestHandler {
  const readJson = json({ limit: MAX_BODY });
  return async (request, response, next) => {
    if (!hasBody(request) || !(await isCaller(request, keys))) return next();
    if (!request.is('application/json')) return next(notJson(request));
    readJson(request, response, bounded(request, next));
  };
}

/** It would be ignored, and something else be done than what was asked for: curl calls a body a form unless it is told. */
function notJson({ headers }: Request): Failure {
  const found = headers['content-type'] ?? 'none';
  return new Failure('BAD_REQUEST', `Content-Type: expected application/json, got ${found.slice(0, 100)}`, {
    suggestion: 'Send the header Content-Type: application/json.',
  });
}

function bounded(request: Request, next: NextFunction): NextFunction {
  return (error?: unknown) => {
    if (error !== undefined) return next(error);
    try {
      refuseExcess(request.body);
      next();
    } catch (excess) {
      next(excess);
    }
  };
}

const hasBody = ({ headers }: Request): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;

async function isCaller({ rawHeaders }: Request, keys: ApiKeysService): Promise<boolean> {
  try {
    await keys.authenticate(bearerOf(rawHeaders));
    return true;
  } catch {
    return false;
  }
}
