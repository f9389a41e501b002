import { STATUS_CODES } from 'node:http';
import { type ArgumentsHost, Catch, type ExceptionFilter, Logger } from '@nestjs/common';
import type { Response } from 'express';
import { FAILURE_CODES } from '../contracts/failure-codes.js';
import type { Failure } from '../contracts/failure.js';
import { failureOfException } from './failure-of-exception.js';
import { FAILURE_STATUS, RETRY_AFTER_SECONDS } from './failure-status.js';
import type { Problem } from './openapi/problem.dto.js';
import { OperationFailure } from './operation-failure.js';
import type { StationRequest } from './request-context.js';

/** Answers every failed request with a problem of RFC 9457. */
@Catch()
export class FailureFilter implements ExceptionFilter {
  private readonly logger = new Logger('Request');

  catch(exception: unknown, host: ArgumentsHost): void {
    this.answer(exception, host);
  }

  answer(exception: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<StationRequest>();
    const response = http.getResponse<Response>();
    const failure = failureOfException(exception);
    request.failure = failure;
    if (failure.code === 'INTERNAL_ERROR' && !(failure instanceof OperationFailure)) this.log(exception, request);
    if (response.headersSent) {
      response.end(); // a stream that broke: its status is out already
      return;
    }
    const status = FAILURE_STATUS[failure.code];
    const retryAfter = retryAfterSeconds(failure);
    if (retryAfter !== undefined) response.setHeader('Retry-After', retryAfter);
    if (status === 401) response.setHeader('WWW-Authenticate', 'Bearer realm="docking-station"');
    response
      .status(status)
      .type('application/problem+json')
      .send(JSON.stringify(problemOf(failure, request)));
  }

  private log(exception: unknown, request: StationRequest): void {
    const trace = exception instanceof Error ? exception.stack : String(exception);
    this.logger.error(`${request.method} ${request.path} failed unexpectedly, request ${request.requestId}`, trace);
  }
}

/** The failure itself may know better than its kind. */
export function retryAfterSeconds({ code, context }: Failure): number | undefined {
  const known = context.retryAfterSeconds;
  return typeof known === 'number' ? known : RETRY_AFTER_SECONDS[code];
}

function problemOf(failure: Failure, request: StationRequest): Problem {
  const { code, message, retryable, suggestion, context } = failure;
  const operation = failure instanceof OperationFailure ? failure.operation : undefined;
  const named = request.params?.repoId;
  return {
    type: `/docs#${code}`,
    title: FAILURE_CODES[code].title,
    status: FAILURE_STATUS[code],
    detail: message || STATUS_CODES[FAILURE_STATUS[code]] || code,
    code,
    operation: operation?.operation ?? request.operation,
    operationId: operation?.operationId,
    repoId: operation?.repoId ?? (typeof named === 'string' ? named.slice(0, 200) : undefined),
    retryable,
    suggestion,
    context,
    requestId: request.requestId,
  };
}
