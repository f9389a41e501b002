import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import { ROUTE_ARGS_METADATA } from '@nestjs/common/constants.js';
import { RouteParamtypes } from '@nestjs/common/enums/route-paramtypes.enum.js';
import type { Observable } from 'rxjs';
import type { StationRequest } from './request-context.js';
import { validate } from './validation.js';

class NoFields {}

/**
 * Refuses a body that could not be read, and fields where a route takes none: a pipe sees only what a route asks for, and
 * what nobody reads would be taken for heeded. Probes (public routes) are left alone: some add a field against caches.
 */
@Injectable()
export class RequestFieldsInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const request = context.switchToHttp().getRequest<StationRequest>();
    if (request.bodyError) throw request.bodyError;
    if (request.principal) {
      const taken = argumentsOf(context);
      if (!taken.has(RouteParamtypes.QUERY)) validate(NoFields, request.query, 'query');
      if (!taken.has(RouteParamtypes.BODY)) validate(NoFields, request.body, 'body');
    }
    return next.handle();
  }
}

/** Which parts of a request the route's method takes. Nest keeps them as `kind:index`. */
function argumentsOf(context: ExecutionContext): Set<number> {
  const { name } = context.getHandler();
  const kept = Reflect.getMetadata(ROUTE_ARGS_METADATA, context.getClass(), name) as
    Record<string, unknown> | undefined;
  return new Set(Object.keys(kept ?? {}).map((key) => Number(key.split(':')[0])));
}
