import { Inject, Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { PatronChecks } from '../auth/patreon/patron-checks.service.js';
import { Patrons } from '../auth/patreon/patrons.service.js';
import { FRESH_MS, type Due } from '../auth/patreon/standing.js';
import { OwnerPlans } from '../auth/owner-plans.js';
import { STATION } from '../auth/principal.js';
import type { OperationOptions } from '../contracts/operation-options.js';
import { EventBus } from '../events/event-bus.js';
import type { RepositoryEntry } from '../registry/repository-entry.js';
import { RepositoryRegistry } from '../registry/repository-registry.js';
import { OperationsService } from '../operations/operations.service.js';
import { isToReturn } from '../operations/returning-apps.js';
import { PLAN_ENDED } from '../operations/stop-reasons.js';

type Asked = 'run' | 'stop' | 'unload';

/**
 * Carries out what was announced to owners whose plan has lapsed or allows less: stops apps, unloads repositories; and
 * brings the apps back when the plan allows them again. One owner at a time, and before each single thing Patreon was asked,
 * and it is looked whether it is still due: what is removed does not come back.
 */
@Injectable()
export class PlanEnforcement implements OnApplicationShutdown {
  private readonly logger = new Logger('Plans');
  private readonly waiting = new Set<string>();
  private isAtWork = false;
  private isEnded = false;
  private readonly unsubscribe: (() => void)[] = [];

  constructor(
    private readonly events: EventBus,
    private readonly plans: OwnerPlans,
    private readonly patrons: Patrons,
    @Inject(PatronChecks) private readonly checks: PatronChecks | null,
    private readonly registry: RepositoryRegistry,
    private readonly operations: OperationsService,
  ) {
    this.unsubscribe.push(events.subscribe('recovered', () => void this.begin()));
  }

  /** Not before: what a kill has cut off in the middle is put in order first, and then gone on with here. */
  private async begin(): Promise<void> {
    this.unsubscribe.push(this.events.subscribe('standing-due', ({ owner }) => this.enforceSoon([owner])));
    const entries = await this.registry.list().catch(() => []);
    this.enforceSoon(entries.map(({ owner }) => owner).filter((owner) => this.patrons.find(owner)));
    this.patrons.tick();
  }

  onApplicationShutdown(): void {
    this.isEnded = true;
    for (const end of this.unsubscribe) end();
  }

  private enforceSoon(owners: string[]): void {
    for (const owner of owners) this.waiting.add(owner);
    if (this.isAtWork || this.waiting.size === 0) return;
    this.isAtWork = true;
    setImmediate(() => void this.work());
  }

  /** Never rejects. */
  private async work(): Promise<void> {
    while (this.waiting.size > 0 && !this.isEnded) {
      const owners = [...this.waiting];
      this.waiting.clear();
      const entries = await this.registry.list().catch(() => []);
      const withRepositories = new Set(entries.map(({ owner }) => owner));
      for (const owner of owners.filter((one) => withRepositories.has(one))) await this.enforce(owner);
    }
    this.isAtWork = false;
  }

  private async enforce(owner: string): Promise<void> {
    try {
      await this.askAgain(owner);
      const due = this.patrons.dueOf(owner);
      if (due === 'nothing') await this.bringBack(owner);
      if (due === 'stop-beyond-plan')
        await this.stopBeyond(owner, this.plans.of(owner)?.quotas.runningApps ?? null, due);
      if (due === 'stop-all' || due === 'unload-all') await this.stopBeyond(owner, 0, due);
      if (due === 'unload-all') await this.unloadAll(owner);
    } catch (error) {
      this.logger.error(`What is due for ${owner} could not be done: ${String(error)}`);
    }
  }

  /** They may have paid while the station did not run, or its webhook did not arrive. */
  private async askAgain(owner: string): Promise<void> {
    const record = this.patrons.find(owner);
    const due = this.patrons.dueOf(owner);
    if (!record || due === 'nothing' || due === 'later' || Date.now() - record.confirmedAt < FRESH_MS / 2) return;
    await this.checks?.check(record.patreonId);
  }

  /** The newest first. */
  private async stopBeyond(owner: string, limit: number | null, due: Due): Promise<void> {
    // One that is about to return, after a crash or a start of the server, would come up behind this.
    const running = (await this.registry.listOf(owner)).filter(
      (entry) => entry.state === 'running' || isToReturn(entry),
    );
    const newestLast = running.toSorted((one, other) => (one.app?.startedAt ?? 0) - (other.app?.startedAt ?? 0));
    for (const entry of newestLast.slice(limit ?? running.length).toReversed()) {
      if (this.patrons.dueOf(owner) !== due) return;
      await this.have('stop', entry, {});
    }
    if (due === 'stop-beyond-plan' && this.patrons.dueOf(owner) === due) await this.patrons.reductionIsDone(owner);
  }

  private async unloadAll(owner: string): Promise<void> {
    for (const entry of await this.registry.listOf(owner)) {
      if (this.patrons.dueOf(owner) !== 'unload-all') return;
      await this.have('unload', entry, {});
    }
  }

  private async bringBack(owner: string): Promise<void> {
    const entries = await this.registry.listOf(owner);
    const running = entries.filter(({ state }) => state === 'running').length;
    const room = (this.plans.of(owner)?.quotas.runningApps ?? Infinity) - running;
    const stopped = entries.filter(({ state, app }) => state !== 'running' && app?.stopReason === PLAN_ENDED);
    for (const entry of stopped.slice(0, Math.max(0, room))) {
      if (this.patrons.dueOf(owner) !== 'nothing') return;
      await this.have('run', entry, entry.runOptions ?? {});
    }
  }

  private async have<K extends Asked>(name: K, entry: RepositoryEntry, options: OperationOptions[K]): Promise<void> {
    if (this.isEnded) return;
    const why = name === 'run' ? 'allows it again' : 'has ended';
    this.logger.log(`${name} of ${entry.repoId} (${entry.owner}): the plan ${why}`);
    const asked = { principal: STATION, stopReason: PLAN_ENDED };
    const { finished } = await this.operations.submit(name, entry, options, asked);
    const { error } = await finished;
    if (error) this.logger.warn(`${name} of ${entry.repoId} has failed: ${error.message}`);
  }
}
