import { randomUUID } from 'node:crypto';
import type { NextFunction, Request, Response } from 'express';
import type { Principal } from '../auth/principal.js';
import type { Failure } from '../contracts/failure.js';
import type { OperationName } from '../contracts/operation-names.js';

export interface AuditNote {
  /** What it was done to, where the path does not name it. */
  target?: string;
  repository?: { repoId: string; uid: string };
  /** Nothing secret. */
  detail: string;
}

/** What the station knows about a request on its way through guard, controller and failure filter. */
export interface StationRequest extends Request {
  /** The client's X-Request-Id where it sent a usable one. */
  requestId: string;
  /** Network address of the caller. */
  address: string | null;
  /** Set by the guard; missing on public routes only. */
  principal?: Principal;
  /** Which operation the route stands for. */
  operation?: OperationName;
  /** What it was answered with. */
  failure?: Failure;
  /** What the audit log is to say about it beyond its route; set by the controller. */
  auditNote?: AuditNote;
  /** Why its body could not be read. */
  bodyError?: Error;
}

const USABLE_ID = /^[\w.:-]{1,128}$/;

/** Names the request, for its answer, its failure and the server's log alike. */
export function requestId(request: Request, response: Response, next: NextFunction): void {
  const given = request.get('x-request-id');
  const id = given !== undefined && USABLE_ID.test(given) ? given : randomUUID();
  (request as StationRequest).requestId = id;
  response.setHeader('X-Request-Id', id);
  next();
}
