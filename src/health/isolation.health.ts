import { Injectable } from '@nestjs/common';
import { type HealthIndicatorResult, HealthIndicatorService } from '@nestjs/terminus';
import { StationIsolation } from '../operations/station-isolation.js';

/** What really confines the code of repositories; down where it must be confined and is not, and so nothing is run. */
@Injectable()
export class IsolationHealth {
  constructor(
    private readonly indicators: HealthIndicatorService,
    private readonly station: StationIsolation,
  ) {}

  check(): HealthIndicatorResult<'isolation'> {
    const { isolation, network, limits } = this.station.plan;
    const refusal = this.station.refusal();
    const { lastFailure } = this.station;
    const degraded = lastFailure && `the last sandbox could not be made: ${lastFailure}`;
    const report = { ...isolation, network, limits, ...(degraded !== undefined && { degraded }) };
    const indicator = this.indicators.check('isolation');
    return refusal ? indicator.down({ ...report, refusal }) : indicator.up(report);
  }
}
