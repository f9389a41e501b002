import {
  applyDecorators,
  type CallHandler,
  type ExecutionContext,
  Injectable,
  type NestInterceptor,
  UseInterceptors,
} from '@nestjs/common';
import { from, lastValueFrom, type Observable } from 'rxjs';
import { IdempotencyHeader } from '../common/openapi/headers.js';
import { ApiFailures } from '../common/openapi/responses.js';
import type { StationRequest } from '../common/request-context.js';
import { Idempotency, idempotencyScope } from './idempotency.service.js';

@Injectable()
class IdempotencyInterceptor implements NestInterceptor {
  constructor(private readonly idempotency: Idempotency) {}

  intercept(context: ExecutionContext, next: CallHandler<object>): Observable<object> {
    const request = context.switchToHttp().getRequest<StationRequest>();
    if (!request.principal) throw new Error('the route is public and has no caller');
    const scope = idempotencyScope(request, request.principal);
    return from(this.idempotency.answer(scope, () => lastValueFrom(next.handle())));
  }
}

/** A route that is answered at once, and answers alike when it is asked again with the same Idempotency-Key. */
export const Idempotent = (): MethodDecorator =>
  applyDecorators(UseInterceptors(IdempotencyInterceptor), IdempotencyHeader, ApiFailures('IDEMPOTENCY_KEY_REUSED'));
