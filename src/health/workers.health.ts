import { Inject, Injectable } from '@nestjs/common';
import { type HealthIndicatorResult, HealthIndicatorService } from '@nestjs/terminus';
import { STATION_CONFIG, type StationConfig } from '../config/config.js';
import { WorkerPoolService } from '../workers/worker-pool.service.js';

/** The threads. What each is at, and for which repository, is for administrators. */
@Injectable()
export class WorkersHealth {
  constructor(
    private readonly indicators: HealthIndicatorService,
    private readonly pool: WorkerPoolService,
    @Inject(STATION_CONFIG) private readonly config: StationConfig,
  ) {}

  check(detailed: boolean): HealthIndicatorResult<'workers'> {
    const { busy, idle, threads } = this.pool.stats();
    return this.indicators.check('workers').up({
      busy,
      idle,
      sessions: threads.length - busy,
      limits: { workers: this.config.maxWorkers, memoryMb: this.config.workerMemoryMb },
      ...(detailed && { threads }),
    });
  }
}
