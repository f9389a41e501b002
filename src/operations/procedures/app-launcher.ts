import { Inject, Injectable } from '@nestjs/common';
import { AppsService } from '../../apps/apps.service.js';
import { PortsService } from '../../apps/ports.service.js';
import { STATION_CONFIG, type StationConfig } from '../../config/config.js';
import type { RunInput, RunResult } from '../../contracts/operations.js';
import type { RepositoryEntry } from '../../registry/repository-entry.js';
import { AppSupervisor } from '../app-supervisor.js';
import { newOperationId } from '../ids.js';
import type { AnyJob } from '../job.js';
import { READY_TIMEOUT_MS, type RunOptions } from '../../contracts/operation-options.js';
import { RepositoryChanges } from '../repository-changes.js';
import { StationTools } from '../station-tools.js';

/** Starts an app in a thread that becomes its session thread, with a port of its own. */
@Injectable()
export class AppLauncher {
  constructor(
    @Inject(STATION_CONFIG) private readonly config: StationConfig,
    private readonly apps: AppsService,
    private readonly ports: PortsService,
    private readonly changes: RepositoryChanges,
    private readonly tools: StationTools,
    private readonly supervisor: AppSupervisor,
  ) {}

  /** PORT_IN_USE, SCRIPT_NOT_FOUND … come before anything has started. */
  async launch(job: AnyJob, entry: RepositoryEntry, options: RunOptions, restarts = 0): Promise<RunResult> {
    const { uid } = entry;
    const { operationId, operation } = job.operation;
    // A run's log is the app's log; an update that restarts the app has a log of its own.
    const runId = operation === 'run' ? operationId : newOperationId();
    this.supervisor.forgetRestart(uid);
    const port = await this.ports.take(uid, options.port);
    try {
      await this.changes.apply(uid, { appOperationId: runId, runOptions: options }, { operationId });
      const input = this.inputFor(entry, options, port, restarts);
      const result = await job.thread('run', entry, input, {
        runId,
        onAppMessage: (message, thread) => this.apps.handle(uid, message, { thread, runId, options, operationId }),
      });
      await this.apps.settled(uid);
      return result;
    } catch (error) {
      await this.apps.settled(uid);
      throw error;
    } finally {
      if (!this.apps.get(uid)) this.ports.release(uid);
    }
  }

  private inputFor(entry: RepositoryEntry, options: RunOptions, port: number, restarts: number): RunInput {
    return {
      script: options.script,
      port,
      portRequested: options.port !== undefined,
      host: this.config.appHost,
      env: options.env ?? {},
      background: options.background ?? true,
      readyTimeoutMs: options.readyTimeoutMs ?? READY_TIMEOUT_MS,
      ready: options.ready,
      liveness: options.liveness,
      installed: entry.installed ?? undefined,
      toolchain: this.tools.access,
      stopGraceMs: this.config.stopGraceMs,
      restarts,
    };
  }
}
