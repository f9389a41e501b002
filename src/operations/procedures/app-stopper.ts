import { Inject, Injectable } from '@nestjs/common';
import { AppsService } from '../../apps/apps.service.js';
import { STATION_CONFIG, type StationConfig } from '../../config/config.js';
import type { App } from '../../contracts/shapes.js';
import type { StoppedByStation, StopReason } from '../../contracts/stop-reasons.js';
import type { RepositoryEntry } from '../../registry/repository-entry.js';
import { AppSupervisor } from '../app-supervisor.js';
import type { AnyJob } from '../job.js';
import { RepositoryChanges } from '../repository-changes.js';

export interface StopResult {
  stopped: true;
  alreadyStopped: boolean;
  exitCode: number | null;
  signal: string | null;
  /** Whether SIGKILL was needed. */
  forced: boolean;
  durationMs: number;
}

/** Ends an app from outside, in a thread of its own: it works also where the app's session thread does not answer. */
@Injectable()
export class AppStopper {
  constructor(
    @Inject(STATION_CONFIG) private readonly config: StationConfig,
    private readonly apps: AppsService,
    private readonly supervisor: AppSupervisor,
    private readonly changes: RepositoryChanges,
  ) {}

  async stop(job: AnyJob, entry: RepositoryEntry, reason: StoppedByStation, graceMs?: number): Promise<StopResult> {
    this.supervisor.forgetRestart(entry.uid);
    const running = this.apps.get(entry.uid);
    if (!running) {
      // It must not come back by itself, nor by an update that is under way.
      if (entry.app) await this.changes.apply(entry.uid, { app: { ...entry.app, stopReason: reason } });
      return { stopped: true, alreadyStopped: true, exitCode: null, signal: null, forced: false, durationMs: 0 };
    }
    const ended = this.apps.whenEnded(entry.uid);
    this.apps.stopping(entry.uid, reason);
    const { forced, durationMs } = await job.thread('stop', entry, {
      tree: running.tree,
      graceMs: graceMs ?? this.config.stopGraceMs,
      ports: portsOf(running.app),
    });
    const app = await ended;
    if (app && outlasts(reason, app.stopReason))
      await this.changes.apply(entry.uid, { app: { ...app, stopReason: reason } });
    const { exitCode = null, signal = null } = app ?? {};
    // Of two who stop it at the same time only one has sent the signal.
    return {
      stopped: true,
      alreadyStopped: false,
      exitCode,
      signal,
      forced: forced || signal === 'SIGKILL',
      durationMs,
    };
  }
}

function portsOf({ port, appPort, ports = [] }: App): number[] {
  return [...new Set([port, appPort, ...ports.map((pair) => pair.port)])].filter((one) => one !== null);
}

/** From what starts it again soonest to what never does: of two who stop an app at the same time the later word here counts. */
const FINALITY: readonly (StopReason | undefined)[] = ['updating', 'server-stopped', 'plan-ended', 'stop'];

const outlasts = (reason: StopReason, other: StopReason | undefined): boolean =>
  FINALITY.includes(other) && FINALITY.indexOf(reason) > FINALITY.indexOf(other);
