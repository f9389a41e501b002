import { Injectable, Logger } from '@nestjs/common';
import { AppListener, type EndedApp, type RunningApp } from '../apps/apps.service.js';
import { PortsService } from '../apps/ports.service.js';
import { FAILED_START_MS, nextRestart } from '../apps/restart-policy.js';
import type { App } from '../contracts/shapes.js';
import { RepositoryChanges } from './repository-changes.js';
import { RESTARTING } from './stop-reasons.js';

/** How a restart is asked for: the operations know how, and know this class, so they enter themselves. */
export type Restarter = (uid: string, running: RunningApp, restarts: number) => Promise<void>;

/** Writes the life of apps into the registry, tells of it, and decides whether an app that died comes back. */
@Injectable()
export class AppSupervisor extends AppListener {
  private readonly logger = new Logger('Apps');
  private readonly pending = new Map<string, NodeJS.Timeout>();
  private restarter: Restarter | undefined;

  constructor(
    private readonly changes: RepositoryChanges,
    private readonly ports: PortsService,
  ) {
    super();
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

  async onStarted({ uid, app, tree, operationId }: RunningApp): Promise<void> {
    await this.changes.apply(uid, { state: 'running', app, appTree: tree }, { operationId });
  }

  async onTree({ uid, app, tree }: RunningApp): Promise<void> {
    await this.changes.apply(uid, { app, appTree: tree });
  }

  async onReady({ uid, app, operationId }: RunningApp): Promise<void> {
    const entry = await this.changes.apply(uid, { app });
    if (entry) this.changes.tell(entry, 'app-ready', { operationId });
  }

  async onEnded(running: RunningApp, ended: EndedApp): Promise<void> {
    const { uid, operationId, options } = running;
    const { app, cause } = ended;
    this.ports.release(uid);
    const restart = nextRestart({
      policy: options.background === false ? 'no' : (options.restartPolicy ?? 'on-failure'),
      cause,
      exitCode: app.exitCode,
      livedMs: (app.stoppedAt ?? Date.now()) - app.startedAt,
      restarts: app.restarts,
    });
    const reason = reasonOf(app, ended);
    const state = reason && !restart ? 'error' : 'stopped';
    const ending = restart ? { ...app, stopReason: RESTARTING } : app;
    const entry = await this.changes.apply(uid, { app: ending, appTree: null, state }, { operationId, reason });
    if (!entry) return;
    if (cause === 'limit') this.changes.tell(entry, 'limit', { operationId, reason });
    this.changes.tell(entry, 'app-exit', { operationId, reason });
    if (restart) this.scheduleRestart(running, restart);
  }

  private scheduleRestart(running: RunningApp, { delayMs, restarts }: { delayMs: number; restarts: number }): void {
    const { uid } = running;
    const timer = setTimeout(() => {
      this.pending.delete(uid);
      this.restarter?.(uid, running, restarts).catch((error: Error) => this.logger.warn(`${uid}: ${error.message}`));
    }, delayMs);
    this.pending.set(uid, timer);
  }
}

/** Why the repository is in `error`; undefined when the end was in order. */
function reasonOf(app: App, { cause, reason }: EndedApp): { code: string; message: string } | undefined {
  if (cause === 'stopped' || cause === 'cancelled') return undefined;
  if (cause === 'limit' && reason) return { code: reason.code, message: reason.message };
  if (cause === 'timed-out') return { code: 'TIMED_OUT', message: 'The run took longer than its timeout' };
  if (cause === 'exited' && app.exitCode === 0) return undefined;
  const livedMs = (app.stoppedAt ?? Date.now()) - app.startedAt;
  const how = app.signal ? `was ended by ${app.signal}` : `exited with code ${app.exitCode ?? 'unknown'}`;
  const when = livedMs < FAILED_START_MS ? ` ${livedMs} ms after its start` : '';
  return { code: 'APP_EXITED', message: `The app ${how}${when}${app.stopReason ? `: ${app.stopReason}` : ''}` };
}
