import { type ArgumentsHost, Catch, type ExceptionFilter, Inject } from '@nestjs/common';
import type { Request, Response } from 'express';
import { failureOfException } from '../../common/failure-of-exception.js';
import { FAILURE_STATUS } from '../../common/failure-status.js';
import { FailureFilter, retryAfterSeconds } from '../../common/failure.filter.js';
import type { StationRequest } from '../../common/request-context.js';
import { STATION_CONFIG, type StationConfig } from '../../config/config.js';
import { publicUrlOf } from '../../config/public-url.js';
import { FAILURE_CODES } from '../../contracts/failure-codes.js';
import { sendFailurePage } from './pages.js';

/** A person in a browser is told by a page, any other client as everywhere. */
@Catch()
export class SignInPageFilter implements ExceptionFilter {
  private readonly problems = new FailureFilter();

  constructor(@Inject(STATION_CONFIG) private readonly config: StationConfig) {}

  catch(exception: unknown, host: ArgumentsHost): void {
    const request = host.switchToHttp().getRequest<StationRequest>();
    const response = host.switchToHttp().getResponse<Response>();
    const failure = failureOfException(exception);
    if (failure.code === 'INTERNAL_ERROR' || !wantsPage(request)) return this.problems.answer(exception, host);
    request.failure = failure;
    const retryAfter = retryAfterSeconds(failure);
    if (retryAfter !== undefined) response.setHeader('Retry-After', retryAfter);
    const { code, message, suggestion } = failure;
    const title = FAILURE_CODES[code].title;
    const status = FAILURE_STATUS[code];
    sendFailurePage(response, publicUrlOf(this.config), { status, title, message, suggestion });
  }
}

export const wantsPage = (request: Request): boolean => request.accepts(['json', 'html']) === 'html';
