import { applyDecorators, createParamDecorator, type ExecutionContext, SetMetadata } from '@nestjs/common';
import { ApiBearerAuth } from '@nestjs/swagger';
import { ApiFailures } from '../common/openapi/responses.js';
import type { AuditNote, StationRequest } from '../common/request-context.js';
import type { OperationName } from '../contracts/operation-names.js';
import type { Permission } from '../contracts/permissions.js';
import type { Principal } from './principal.js';

/** `any` is for what every valid key may do; `isExempt` for what the requestsPerMinute of a plan may not refuse, beside stop and unload. */
export type Access = { permission: Permission | 'any'; operation?: OperationName; isExempt?: boolean } | 'public';

export const ACCESS = Symbol('access');

/** States who may call a route: a key with this permission. Bundles what the guard and Swagger have to know. */
export function Authenticated(access: Exclude<Access, 'public'>): MethodDecorator {
  return applyDecorators(
    SetMetadata(ACCESS, access),
    ApiBearerAuth(),
    ApiFailures('UNAUTHORIZED', 'RATE_LIMITED', ...(access.permission === 'any' ? [] : (['FORBIDDEN'] as const))),
  );
}

/** States that a route needs no key. */
export const Public = (): MethodDecorator & ClassDecorator => SetMetadata(ACCESS, 'public' satisfies Access);

/** For a controller to tell the audit log more than the route says. */
export const Audited = createParamDecorator((_: unknown, context: ExecutionContext): ((note: AuditNote) => void) => {
  const request = context.switchToHttp().getRequest<StationRequest>();
  return (note) => (request.auditNote = note);
});

/** The caller of an authenticated route. */
export const Caller = createParamDecorator((_: unknown, context: ExecutionContext): Principal => {
  const { principal } = context.switchToHttp().getRequest<StationRequest>();
  if (!principal) throw new Error('the route is public and has no caller');
  return principal;
});
