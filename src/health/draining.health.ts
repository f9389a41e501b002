import { Injectable } from '@nestjs/common';
import { type HealthIndicatorResult, HealthIndicatorService } from '@nestjs/terminus';
import { OperationQueue } from '../operations/operation-queue.js';

/** Whether new operations are taken. */
@Injectable()
export class DrainingHealth {
  constructor(
    private readonly indicators: HealthIndicatorService,
    private readonly queue: OperationQueue,
  ) {}

  check(): HealthIndicatorResult<'operations'> {
    const indicator = this.indicators.check('operations');
    return this.queue.stats().draining ? indicator.down('the server is shutting down') : indicator.up();
  }
}
