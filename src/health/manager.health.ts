import { Injectable } from '@nestjs/common';
import { type HealthIndicatorResult, HealthIndicatorService } from '@nestjs/terminus';
import { REPOSITORY_STATES } from '../contracts/repository-states.js';
import { OperationQueue } from '../operations/operation-queue.js';
import { RepositoryRegistry } from '../registry/repository-registry.js';

/** Repositories by state, running apps and the queue. Counts only. */
@Injectable()
export class ManagerHealth {
  constructor(
    private readonly indicators: HealthIndicatorService,
    private readonly registry: RepositoryRegistry,
    private readonly queue: OperationQueue,
  ) {}

  async check(): Promise<HealthIndicatorResult<'manager'>> {
    const indicator = this.indicators.check('manager');
    const entries = await this.registry.list().catch(() => undefined);
    if (!entries) return indicator.down('the registry cannot be read');
    const count = (state: string) => entries.filter((entry) => entry.state === state).length;
    const repositories = Object.fromEntries(REPOSITORY_STATES.map((state) => [state, count(state)]));
    return indicator.up({ repositories, apps: { running: count('running') }, queue: this.queue.stats() });
  }
}
