import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { appsStopAt, unloadAt } from '../auth/patreon/standing.js';
import { Patrons } from '../auth/patreon/patrons.service.js';
import { OwnerPlans } from '../auth/plans/owner-plans.js';
import { STATION } from '../auth/principal.js';
import type { OperationOptions } from '../contracts/operation-options.js';
import { EventBus } from '../events/event-bus.js';
import type { RepositoryEntry } from '../registry/repository-entry.js';
import { RepositoryRegistry } from '../registry/repository-registry.js';
import { OperationsService } from './operations.service.js';
import { PLAN_ENDED } from './stop-reasons.js';

type Asked = 'run' | 'stop' | 'unload';

/**
 * Carries out what was announced to owners whose plan has lapsed or allows less: stops apps, unloads repositories; and
 * brings the apps back when the plan allows them again. What it finds done already it does not do again.
 */
@Injectable()
export class PlanEnforcement implements OnApplicationShutdown {
  private readonly logger = new Logger('Plans');
  /** Owners that are being dealt with: whether there is news for them meanwhile. */
  private readonly atWork = new Map<string, boolean>();
  private unsubscribe: (() => void) | undefined;

  constructor(
    private readonly events: EventBus,
    private readonly plans: OwnerPlans,
    private readonly patrons: Patrons,
    private readonly registry: RepositoryRegistry,
    private readonly operations: OperationsService,
  ) {}

  /** Once the station has put in order what its last life has left. */
  begin(): void {
    this.unsubscribe = this.events.subscribe('standing-due', ({ owner }) => void this.enforce(owner));
    this.patrons.tick();
  }

  onApplicationShutdown(): void {
    this.unsubscribe?.();
  }

  /** Never rejects. */
  private async enforce(owner: string): Promise<void> {
    const isAtWork = this.atWork.has(owner);
    this.atWork.set(owner, isAtWork);
    if (isAtWork) return;
    try {
      await this.carryOut(owner);
    } catch (error) {
      this.logger.error(`What is due for ${owner} could not be done: ${String(error)}`);
    }
    const isNews = this.atWork.get(owner) === true;
    this.atWork.delete(owner);
    if (isNews) await this.enforce(owner);
  }

  private async carryOut(owner: string): Promise<void> {
    const due = this.patrons.dueOf(owner);
    if (!due) return;
    const { standing, now, rules } = due;
    if (this.plans.isGranted(owner) || (standing.phase !== 'lapsed' && standing.reducedSince === null)) {
      return this.bringBack(owner);
    }
    const isOver = (time: number | null) => time !== null && now >= time;
    if (!isOver(appsStopAt(standing, rules))) return;
    if (standing.phase !== 'lapsed') {
      await this.stopBeyond(owner, this.plans.of(owner)?.quotas.runningApps ?? null);
      return this.patrons.reductionIsDone(owner);
    }
    await this.stopBeyond(owner, 0);
    if (isOver(unloadAt(standing, rules))) {
      for (const entry of await this.entriesOf(owner)) await this.have('unload', entry, {});
    }
  }

  /** The newest first. */
  private async stopBeyond(owner: string, limit: number | null): Promise<void> {
    const running = (await this.entriesOf(owner)).filter(({ state }) => state === 'running');
    const newestLast = running.toSorted((one, other) => (one.app?.startedAt ?? 0) - (other.app?.startedAt ?? 0));
    for (const entry of newestLast.slice(limit ?? running.length).toReversed()) await this.have('stop', entry, {});
  }

  private async bringBack(owner: string): Promise<void> {
    const entries = await this.entriesOf(owner);
    const running = entries.filter(({ state }) => state === 'running').length;
    const room = (this.plans.of(owner)?.quotas.runningApps ?? Infinity) - running;
    const stopped = entries.filter(({ state, app }) => state !== 'running' && app?.stopReason === PLAN_ENDED);
    for (const entry of stopped.slice(0, Math.max(0, room))) await this.have('run', entry, entry.runOptions ?? {});
  }

  private async have<K extends Asked>(name: K, entry: RepositoryEntry, options: OperationOptions[K]): Promise<void> {
    this.logger.log(
      `${name} of ${entry.repoId} (${entry.owner}): the plan ${name === 'run' ? 'allows it again' : 'has ended'}`,
    );
    const { finished } = await this.operations.submit(name, entry, options, {
      principal: STATION,
      stopReason: PLAN_ENDED,
    });
    const { error } = await finished;
    if (error) this.logger.warn(`${name} of ${entry.repoId} has failed: ${error.message}`);
  }

  private async entriesOf(owner: string): Promise<RepositoryEntry[]> {
    return (await this.registry.list()).filter((entry) => entry.owner === owner);
  }
}
