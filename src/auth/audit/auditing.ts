import type { NextFunction, Request, Response } from 'express';
import { OperationFailure } from '../../common/operation-failure.js';
import type { StationRequest } from '../../common/request-context.js';
import type { AuditTrail, Origin } from './audit-trail.service.js';

const READS = new Set(['GET', 'HEAD', 'OPTIONS']);
const MAX_CHARS = 200;

/** Where a request has come from. */
export const originOf = ({ address }: StationRequest): Origin => ({ door: 'rest', address });

/** Keeps what requests have changed, or were refused. An operation that was accepted keeps itself. */
export function auditing(audit: AuditTrail) {
  return (request: Request, response: Response, next: NextFunction): void => {
    if (!READS.has(request.method)) response.once('close', () => keep(request as StationRequest, audit));
    next();
  };
}

function keep(request: StationRequest, audit: AuditTrail): void {
  const { principal, operation, failure, method, params, auditNote } = request;
  if (!principal || failure instanceof OperationFailure) return;
  if (operation && !failure) return;
  const { path = '' } = (request.route ?? {}) as { path?: string };
  const { repoId, owner, id } = (params ?? {}) as { repoId?: string; owner?: string; id?: string };
  const action = operation ?? `${method} ${path}`;
  void audit.answered(principal, originOf(request), {
    action,
    repoId: auditNote?.repository?.repoId ?? repoId,
    uid: auditNote?.repository?.uid,
    target: (auditNote?.target ?? owner ?? id)?.slice(0, MAX_CHARS),
    detail: auditNote?.detail.slice(0, MAX_CHARS),
    code: failure?.code,
  });
}
