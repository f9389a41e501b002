import { Inject, Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { OwnerPlans } from '../auth/owner-plans.js';
import { PatronChecks } from '../auth/patreon/patron-checks.service.js';
import { Patrons } from '../auth/patreon/patrons.service.js';
import { FRESH_MS, type Due } from '../auth/patreon/standing.js';
import { STATION } from '../auth/principal.js';
import type { OperationOptions } from '../contracts/operation-options.js';
import { EventBus } from '../events/event-bus.js';
import type { OperationTicket } from '../operations/operation-request.js';
import { OperationsService } from '../operations/operations.service.js';
import { isStoppedForPlan, isToReturn } from '../operations/returning-apps.js';
import type { RepositoryEntry } from '../registry/repository-entry.js';
import { RepositoryRegistry } from '../registry/repository-registry.js';
import { OwnerRetries } from './owner-retries.js';

type Asked = 'run' | 'stop' | 'unload';

/** How many owners are seen to at the same time: Patreon may take its time, and so may an app that is to end. */
const OWNERS_AT_ONCE = 16;
const RETRY_MS = 30_000;
/** What fails again and again is tried less and less often. */
const MAX_RETRY_MS = 60 * 60 * 1000;
/** Why an app has not come back, where that passes by itself. */
const PASSING = new Set<string>([
  'PORT_IN_USE',
  'QUEUE_FULL',
  'NO_SPACE',
  'SANDBOX_UNAVAILABLE',
  'WORKER_CRASHED',
  'INTERRUPTED',
  'DRAINING',
]);

/**
 * Carries out what was announced to owners whose plan has lapsed or allows less: stops apps, unloads repositories; and
 * brings the apps back when the plan allows them again. Before each single thing Patreon was asked, and it is looked
 * whether it is still due: what is removed does not come back. What could not be done is tried again.
 */
@Injectable()
export class PlanEnforcement implements OnApplicationShutdown {
  private readonly logger = new Logger('Plans');
  private readonly waiting = new Set<string>();
  private readonly busy = new Set<string>();
  /** Owners whose apps are just being brought back. */
  private readonly returning = new Set<string>();
  private readonly retries = new OwnerRetries(RETRY_MS, MAX_RETRY_MS);
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

  onApplicationShutdown(): void {
    this.isEnded = true;
    for (const end of this.unsubscribe) end();
    this.retries.end();
  }

  /** Not before: what a kill has cut off in the middle is put in order first, and then gone on with here. */
  private async begin(): Promise<void> {
    this.unsubscribe.push(
      this.events.subscribe('standing-due', ({ owner }) => this.enforceSoon([owner])),
      // What was asked for before may begin to run after everything was stopped.
      this.events.subscribe('event', ({ audience: { owner }, payload: { state } }) => {
        if (state === 'running' && this.patrons.find(owner)) this.enforceSoon([owner]);
      }),
    );
    const entries = await this.registry.list().catch(() => []);
    this.enforceSoon(entries.map(({ owner }) => owner).filter((owner) => this.patrons.find(owner)));
    void this.patrons.tick();
  }

  private enforceSoon(owners: string[]): void {
    for (const owner of owners) this.waiting.add(owner);
    this.beginNext();
  }

  private beginNext(): void {
    for (const owner of this.waiting) {
      if (this.isEnded || this.busy.size >= OWNERS_AT_ONCE) return;
      if (this.busy.has(owner)) continue; // once more when this time is over
      this.waiting.delete(owner);
      this.busy.add(owner);
      void this.enforce(owner).finally(() => {
        this.busy.delete(owner);
        this.beginNext();
      });
    }
  }

  /** Never rejects. */
  private async enforce(owner: string): Promise<void> {
    try {
      const isDone = await this.carryOut(owner);
      if (isDone) this.retries.done(owner);
      else this.bringBack(owner);
    } catch (error) {
      this.logger.error(`What is due for ${owner} could not be done, and will be tried again: ${String(error)}`);
      this.tryAgain(owner);
    }
  }

  /** Resolves to whether that was all: else apps may return. */
  private async carryOut(owner: string): Promise<boolean> {
    if ((await this.registry.listOf(owner)).length === 0) {
      await this.patrons.runsWithinPlan(owner);
      return true;
    }
    await this.askAgain(owner);
    const due = this.patrons.dueOf(owner);
    if (due === 'stop-beyond-plan') await this.stopBeyond(owner, this.limitOf(owner), due);
    if (due === 'stop-all' || due === 'unload-all') await this.stopBeyond(owner, 0, due);
    if (due === 'unload-all') await this.unloadAll(owner);
    await this.seeWhatRuns(owner);
    return !this.patrons.mayReturn(owner);
  }

  private tryAgain(owner: string): void {
    if (!this.isEnded) this.retries.later(owner, () => this.enforceSoon([owner]));
  }

  /** They may have paid while the station did not run, or its webhook did not arrive. */
  private async askAgain(owner: string): Promise<void> {
    const record = this.patrons.find(owner);
    const due = this.patrons.dueOf(owner);
    if (!record || due === 'nothing' || due === 'later' || Date.now() - record.confirmedAt < FRESH_MS / 2) return;
    await this.checks?.check(record.patreonId);
  }

  /** The newest first. */
  private async stopBeyond(owner: string, limit: number, due: Due): Promise<void> {
    const newestLast = (await this.running(owner)).toSorted(byAge);
    for (const entry of newestLast.slice(limit).toReversed()) {
      if (this.patrons.dueOf(owner) !== due) return;
      await this.done('stop', entry, {});
    }
  }

  private async unloadAll(owner: string): Promise<void> {
    for (const entry of await this.registry.listOf(owner)) {
      if (this.patrons.dueOf(owner) !== 'unload-all') return;
      await this.done('unload', entry, {});
    }
  }

  /** What the same plan allows may have become less, and what ran beyond it may have ended. */
  private async seeWhatRuns(owner: string): Promise<void> {
    const isBeyond = (await this.running(owner)).length > this.limitOf(owner);
    if (!isBeyond) await this.patrons.runsWithinPlan(owner);
    else if (this.patrons.dueOf(owner) === 'nothing') await this.patrons.runsBeyondPlan(owner);
  }

  /** Without waiting for them: an app may take its time to get ready. */
  private bringBack(owner: string): void {
    if (this.returning.has(owner)) return;
    this.returning.add(owner);
    void this.returnInTurn(owner)
      .catch((error: unknown) => {
        this.logger.warn(`Not all apps of ${owner} are back, which will be tried again: ${String(error)}`);
        this.tryAgain(owner);
      })
      .finally(() => this.returning.delete(owner));
  }

  /** As many as there is room for, the oldest first. Rejects where one has failed for what passes: then none is given up. */
  private async returnInTurn(owner: string): Promise<void> {
    let passing: string | undefined;
    const stopped = (await this.registry.listOf(owner)).filter(isStoppedForPlan);
    for (const { uid } of stopped.toSorted(byAge)) {
      const entry = await this.registry.find(uid);
      if (!entry || !isStoppedForPlan(entry) || !this.patrons.mayReturn(owner)) continue;
      if ((await this.running(owner)).length >= this.limitOf(owner)) break;
      const { error } = await (await this.submit('run', entry, entry.runOptions ?? {})).finished;
      if (!error || !PASSING.has(error.code)) continue;
      passing = error.message;
      await this.registry.update(uid, ({ app }) => (app ? { app: { ...app, stopReason: 'plan-ended' } } : {}));
    }
    if (passing !== undefined) throw new Error(passing);
    await this.patrons.haveReturned(owner);
    this.retries.startAnew(owner);
  }

  private async done<K extends Asked>(name: K, entry: RepositoryEntry, options: OperationOptions[K]): Promise<void> {
    const { finished } = await this.submit(name, entry, options);
    const { error } = await finished;
    if (error) throw new Error(`${name} of ${entry.repoId}: ${error.message}`);
  }

  private async submit<K extends Asked>(
    name: K,
    entry: RepositoryEntry,
    options: OperationOptions[K],
  ): Promise<OperationTicket> {
    if (this.isEnded) throw new Error('the station is about to end');
    const why = name === 'run' ? 'allows it again' : 'has ended';
    this.logger.log(`${name} of ${entry.repoId} (${entry.owner}): the plan ${why}`);
    return this.operations.submit(name, entry, options, { principal: STATION, stopReason: 'plan-ended' });
  }

  /** With those that are about to return, after a crash or a start of the server: they would come up behind this. */
  private async running(owner: string): Promise<RepositoryEntry[]> {
    return (await this.registry.listOf(owner)).filter((entry) => entry.state === 'running' || isToReturn(entry));
  }

  private limitOf(owner: string): number {
    return this.plans.of(owner)?.quotas.runningApps ?? Infinity;
  }
}

const byAge = (one: RepositoryEntry, other: RepositoryEntry): number =>
  (one.app?.startedAt ?? 0) - (other.app?.startedAt ?? 0);
