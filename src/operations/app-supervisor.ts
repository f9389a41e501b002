import { isDeepStrictEqual } from 'node:util';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { AppListener, type EndedApp, type RunningApp } from '../apps/apps.service.js';
import { endReason } from '../apps/end-reason.js';
import { lastLines } from '../apps/last-lines.js';
import { LogReader } from '../apps/log-reader.js';
import { PortsService } from '../apps/ports.service.js';
import { anotherRestart, nextRestart, type Restart, type RestartLimits } from '../apps/restart-policy.js';
import { STATION_CONFIG, type StationConfig } from '../config/config.js';
import { READY_TIMEOUT_MS } from '../contracts/operation-options.js';
import type { Failure } from '../contracts/failure.js';
import type { StateReason, App } from '../contracts/shapes.js';
import type { RepositoryEntry } from '../registry/repository-entry.js';
import { RepositoryRegistry } from '../registry/repository-registry.js';
import { RepositoryChanges } from './repository-changes.js';
import { isToReturn } from './returning-apps.js';
import { StationIsolation } from './station-isolation.js';

/** How an app is started again: the operations know how, and know this class, so they enter themselves. Never rejects. */
export type Restarter = (uid: string, restarts: number) => Promise<void>;

/** A station that is full is no fault of the app's: it may take however long. */
const STATION_IS_FULL = new Set(['NO_SPACE', 'QUEUE_FULL']);
const FIRST_RETRY_MS = 5_000;
const LONGEST_RETRY_MS = 60_000;
/** Somebody else has decided what becomes of the app: a caller, or the end of the server. */
const DECIDED_OTHERWISE = new Set(['CANCELLED', 'INTERRUPTED', 'DRAINING', 'ALREADY_RUNNING', 'REPO_NOT_FOUND']);

/** Writes the life of apps into the registry, tells of it, and decides whether an app that died comes back. */
@Injectable()
export class AppSupervisor extends AppListener {
  private readonly logger = new Logger('Apps');
  private readonly pending = new Map<string, NodeJS.Timeout>();
  private readonly limits: RestartLimits;
  private restarter: Restarter | undefined;

  constructor(
    @Inject(STATION_CONFIG) { appMaxRestarts, appRestartDelayMs }: StationConfig,
    private readonly registry: RepositoryRegistry,
    private readonly changes: RepositoryChanges,
    private readonly ports: PortsService,
    private readonly logs: LogReader,
    private readonly isolation: StationIsolation,
  ) {
    super();
    this.limits = { max: appMaxRestarts, firstDelayMs: appRestartDelayMs };
  }

  restartWith(restarter: Restarter): void {
    this.restarter = restarter;
  }

  /** Nothing comes back any more: the app was stopped, unloaded, started anew, or the server is going down. */
  forgetRestart(uid: string): boolean {
    const timer = this.pending.get(uid);
    clearTimeout(timer);
    return this.pending.delete(uid);
  }

  forgetAllRestarts(): void {
    for (const uid of this.pending.keys()) this.forgetRestart(uid);
  }

  /** Not before: a run that comes to nothing is no reason to give up the app that is to return. */
  async onStarted({ uid, app, tree, options, operationId }: RunningApp): Promise<void> {
    this.forgetRestart(uid);
    const before = await this.registry.find(uid);
    const appWasReady = before?.appWasReady === true && isDeepStrictEqual(before.runOptions, options);
    await this.changes.apply(
      uid,
      { state: 'running', app, appTree: tree, appCommit: before?.commit, appWasReady, runOptions: options },
      { operationId },
    );
  }

  async onTree({ uid, app, tree }: RunningApp): Promise<void> {
    await this.changes.apply(uid, { app, appTree: tree });
  }

  async onReady({ uid, app, operationId }: RunningApp): Promise<void> {
    const wasReady = (await this.registry.find(uid))?.app?.ready === true;
    const entry = await this.changes.apply(uid, { app, appWasReady: true });
    if (entry) this.changes.tell(entry, wasReady ? 'port' : 'app-ready', { operationId });
  }

  async onEnded(running: RunningApp, ended: EndedApp): Promise<void> {
    const { uid, operationId } = running;
    this.ports.release(uid);
    const next = this.afterEnd(running, ended);
    const restart = next === 'crash-loop' ? undefined : next;
    const reason = await this.reasonOf(running, ended, next === 'crash-loop');
    const app: App = restart ? { ...ended.app, stopReason: 'restarting' } : ended.app;
    const state = reason && !restart ? 'error' : 'stopped';
    const entry = await this.changes.apply(uid, { app, appTree: null, state }, { operationId, reason });
    if (!entry) return;
    if (ended.cause === 'limit') this.changes.tell(entry, 'limit', { operationId, reason });
    this.changes.tell(entry, 'app-exit', { operationId, reason });
    if (restart) this.schedule(uid, restart);
  }

  /**
   * An app could not even be started again: the repository still has the one that was to return. Another one was started
   * and has ended since, which was dealt with: it may be about to return in its turn.
   */
  async onReturnFailed({ uid, app: lastApp }: RepositoryEntry, restarts: number, failure: Failure): Promise<void> {
    const entry = await this.registry.find(uid);
    if (!entry?.app || !isToReturn(entry) || DECIDED_OTHERWISE.has(failure.code)) return;
    if (entry.app.startedAt !== lastApp?.startedAt) return;
    const { code, message } = failure;
    this.logger.warn(`The app of ${entry.repoId} could not be started again: ${message}`);
    if (this.isStationAtFault(entry, code)) return this.schedule(uid, { delayMs: retryDelay(entry.app), restarts });
    const again = failure.retryable ? anotherRestart(restarts, this.limits) : undefined;
    if (again) return this.schedule(uid, again);
    const app = { ...entry.app, stopReason: 'not-restarted', stopMessage: message } as const;
    await this.changes.apply(uid, { app, state: 'error' }, { reason: { code, message } });
  }

  /** A sandbox that cannot be made for a while is not what was found out at start: that one never comes. */
  private isStationAtFault(entry: RepositoryEntry, code: string): boolean {
    if (code === 'SANDBOX_UNAVAILABLE') return this.isolation.refusalFor(entry) === undefined;
    return STATION_IS_FULL.has(code);
  }

  private afterEnd(
    { options, isTrusted }: RunningApp,
    { app, cause, wasReady }: EndedApp,
  ): ReturnType<typeof nextRestart> {
    const { exitCode, restarts, startedAt, stoppedAt = Date.now() } = app;
    const policy = options.background === false ? 'no' : (options.restartPolicy ?? 'on-failure');
    const readyTimeoutMs = wasReady ? 0 : (options.readyTimeoutMs ?? READY_TIMEOUT_MS);
    return nextRestart(
      { policy, cause, exitCode, restarts, livedMs: stoppedAt - startedAt, readyTimeoutMs, isTrusted },
      this.limits,
    );
  }

  private async reasonOf(
    { uid, runId }: RunningApp,
    ended: EndedApp,
    crashLoop: boolean,
  ): Promise<StateReason | undefined> {
    const reason = endReason(ended, crashLoop);
    if (!reason) return undefined;
    const { exitCode = null, signal = null, restarts } = ended.app;
    const lines = await lastLines(this.logs, uid, runId);
    return { ...reason, context: { exitCode, signal, restarts, lastLines: lines } };
  }

  private schedule(uid: string, { delayMs, restarts }: Restart): void {
    const timer = setTimeout(() => {
      this.pending.delete(uid);
      void this.restarter?.(uid, restarts);
    }, delayMs);
    this.pending.set(uid, timer);
  }
}

/** As long as it has been away already, so that each further attempt waits twice as long. */
function retryDelay({ stoppedAt = Date.now() }: App): number {
  return Math.min(LONGEST_RETRY_MS, Math.max(FIRST_RETRY_MS, Date.now() - stoppedAt));
}
