import { Injectable } from '@nestjs/common';
import { type HealthCheckAttempt, HealthIndicatorService } from '@nestjs/terminus';
import { REPOSITORY_STATES } from '../contracts/repository-states.js';
import { OperationQueue } from '../operations/operation-queue.js';
import { RepositoryRegistry } from '../registry/repository-registry.js';

/** Probes come often, and to count repositories every one of them is read. */
const CACHE_MS = 1000;

/** Repositories by state, running apps and the queue. Counts only. */
@Injectable()
export class ManagerHealth {
  constructor(
    private readonly indicators: HealthIndicatorService,
    private readonly registry: RepositoryRegistry,
    private readonly queue: OperationQueue,
  ) {}

  check(): HealthCheckAttempt<'manager'> {
    return this.indicators
      .check('manager')
      .attempt(() => this.counts())
      .cacheFor(CACHE_MS);
  }

  private async counts() {
    const entries = await this.registry.list().catch((cause: unknown) => {
      throw new Error('the registry cannot be read', { cause });
    });
    const count = (state: string) => entries.filter((entry) => entry.state === state).length;
    const repositories = Object.fromEntries(REPOSITORY_STATES.map((state) => [state, count(state)]));
    return { repositories, apps: { running: count('running') }, queue: this.queue.stats() };
  }
}
