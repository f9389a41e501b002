import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { Response } from 'express';
import type { Principal } from '../auth/principal.js';
import type { StationRequest } from '../common/request-context.js';

/** One request with its answer and its caller. */
export interface Exchange {
  request: StationRequest;
  response: Response;
  caller: Principal;
}

export const HttpExchange = createParamDecorator((_: unknown, context: ExecutionContext): Exchange => {
  const http = context.switchToHttp();
  const request = http.getRequest<StationRequest>();
  if (!request.principal) throw new Error('the route is public and has no caller');
  return { request, response: http.getResponse<Response>(), caller: request.principal };
});
