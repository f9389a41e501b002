import { Injectable } from '@nestjs/common';
import { type HealthIndicatorResult, HealthIndicatorService } from '@nestjs/terminus';
import { ISOLATION } from '../operations/station-isolation.js';

/** What really confines the code of repositories. */
@Injectable()
export class IsolationHealth {
  constructor(private readonly indicators: HealthIndicatorService) {}

  check(): HealthIndicatorResult<'isolation'> {
    return this.indicators.check('isolation').up({ ...ISOLATION.isolation, network: ISOLATION.network });
  }
}
