import type { NextFunction, Request, Response } from 'express';
import { OperationFailure } from '../../common/operation-failure.js';
import type { StationRequest } from '../../common/request-context.js';
import type { AuditTrail, Origin } from './audit-trail.service.js';

const READS = new Set(['GET', 'HEAD', 'OPTIONS']);
const MAX_CHARS = 200;

/** Where a request has come from. */
export const originOf = ({ ip }: Request): Origin => ({ door: 'rest', address: ip ?? null });

/** Keeps what requests have changed, or were refused. An operation that was accepted keeps itself. */
export function auditing(audit: AuditTrail) {
  return (request: Request, response: Response, next: NextFunction): void => {
    const origin = originOf(request);
    if (!READS.has(request.method)) response.once('close', () => keep(request as StationRequest, origin, audit));
    next();
  };
}

function keep(
  { principal, operation, failure, method, route, params }: StationRequest,
  origin: Origin,
  audit: AuditTrail,
): void {
  if (!principal || failure instanceof OperationFailure) return;
  if (operation && !failure) return;
  const path = (route as { path?: string } | undefined)?.path ?? '';
  const { repoId } = (params ?? {}) as { repoId?: string };
  const action = operation ?? `${method} ${path}`;
  void audit.answered(principal, origin, { action, repoId: repoId?.slice(0, MAX_CHARS), code: failure?.code });
}
