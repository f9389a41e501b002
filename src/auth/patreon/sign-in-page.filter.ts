import { type ArgumentsHost, Catch, type ExceptionFilter, Inject } from '@nestjs/common';
import type { Request, Response } from 'express';
import { failureOfException } from '../../common/failure-of-exception.js';
import { FAILURE_STATUS } from '../../common/failure-status.js';
import { FailureFilter } from '../../common/failure.filter.js';
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
    const http = host.switchToHttp();
    const failure = failureOfException(exception);
    if (failure.code === 'INTERNAL_ERROR' || !wantsPage(http.getRequest<Request>())) {
      return this.problems.answer(exception, host);
    }
    const { code, message, suggestion } = failure;
    const title = FAILURE_CODES[code].title;
    const status = FAILURE_STATUS[code];
    sendFailurePage(http.getResponse<Response>(), publicUrlOf(this.config), { status, title, message, suggestion });
  }
}

export const wantsPage = (request: Request): boolean => request.accepts(['json', 'html']) === 'html';
