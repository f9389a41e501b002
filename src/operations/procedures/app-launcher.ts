import { Inject, Injectable } from '@nestjs/common';
import { AppsService } from '../../apps/apps.service.js';
import { PortsService } from '../../apps/ports.service.js';
import { OwnerPlans } from '../../auth/owner-plans.js';
import { STATION_CONFIG, type StationConfig } from '../../config/config.js';
import type { RunInput, RunResult } from '../../contracts/operations.js';
import type { RepositoryEntry } from '../../registry/repository-entry.js';
import { RepositoryRegistry } from '../../registry/repository-registry.js';
import { newOperationId } from '../ids.js';
import type { AnyJob } from '../job.js';
import { READY_TIMEOUT_MS, type RunOptions } from '../../contracts/operation-options.js';
import { RepositoryChanges } from '../repository-changes.js';
import { isToReturn } from '../returning-apps.js';
import { StationIsolation } from '../station-isolation.js';
import { StationTools } from '../station-tools.js';
import type { ToThread } from '../../contracts/worker-messages.js';

/** An app may take minutes to get ready, and many never listen: others need not wait for that. */
export const PLACE_MS = 10_000;

/** Starts an app in a thread that becomes its session thread, with a port of its own. */
@Injectable()
export class AppLauncher {
  /** Whose app is being started, of which repository. */
  private readonly launching = new Map<string, string>();

  constructor(
    @Inject(STATION_CONFIG) private readonly config: StationConfig,
    private readonly apps: AppsService,
    private readonly ports: PortsService,
    private readonly changes: RepositoryChanges,
    private readonly tools: StationTools,
    private readonly isolation: StationIsolation,
    private readonly registry: RepositoryRegistry,
    private readonly plans: OwnerPlans,
  ) {}

  /** PLAN_LIMIT, PORT_IN_USE, SCRIPT_NOT_FOUND … come before anything has started. */
  async launch(job: AnyJob, entry: RepositoryEntry, options: RunOptions, restarts = 0): Promise<RunResult> {
    const { uid } = entry;
    const { operationId, operation } = job.operation;
    // A run's log is the app's log; an update that restarts the app has a log of its own.
    const runId = operation === 'run' ? operationId : newOperationId();
    this.isolation.requireFor(entry);
    this.launching.set(uid, entry.owner);
    const patience = setTimeout(() => job.giveUpPlace(), PLACE_MS);
    try {
      await this.requireRoom(job, entry);
      const port = await this.portFor(entry, options.port);
      await this.changes.apply(uid, { appOperationId: runId }, { operationId });
      const input = this.inputFor(entry, options, port, restarts);
      const result = await job.thread('run', entry, input, {
        runId,
        onAppMessage: (message, thread) => {
          if (message.type === 'port-wanted') void this.grantPort(uid, thread);
          else if (message.type === 'port-returned') this.ports.giveBack(uid, message.port);
          else this.apps.handle(uid, message, { thread, runId, options, operationId });
        },
      });
      await this.apps.settled(uid);
      return result;
    } catch (error) {
      await this.apps.settled(uid);
      throw error;
    } finally {
      clearTimeout(patience);
      this.launching.delete(uid);
      if (!this.apps.get(uid)) this.ports.release(uid);
    }
  }

  /**
   * PLAN_LIMIT, PLAN_LAPSED. Of those that start at the same time the first ones have the places that are left. One that has
   * died, and is about to be started again, keeps its place; so does one that an update starts again.
   */
  private async requireRoom({ context, operation }: AnyJob, { uid, owner }: RepositoryEntry): Promise<void> {
    if (operation.operation === 'update') return;
    const before = [...this.launching].slice(0, [...this.launching.keys()].indexOf(uid));
    const running = (await this.registry.listOf(owner)).filter((one) => one.state === 'running' || isToReturn(one));
    const taken = new Set([
      ...running.map((one) => one.uid),
      ...before.filter(([, whose]) => whose === owner).map(([one]) => one),
    ]);
    taken.delete(uid);
    const { principal, stopReason } = context;
    // Apps that come back because the plan allows them again are started by the station, and bounded all the same.
    const plan = stopReason === 'plan-ended' ? this.plans.of(owner) : principal.plan;
    plan?.requireActive(); // it may have lapsed while this waited for its turn
    plan?.requireRoomFor('runningApps', taken.size);
  }

  /** With a network of its own an app has the port that it wants in any case; on the host it may be another one. */
  private async portFor(entry: RepositoryEntry, requested: number | undefined): Promise<number> {
    const last = entry.app?.port;
    if (entry.network.mode === 'shared') return this.ports.take(entry.uid, { requested, last });
    try {
      return await this.ports.take(entry.uid, { requested, last });
    } catch {
      return this.ports.take(entry.uid, { last });
    }
  }

  private async grantPort(uid: string, thread: { post(message: ToThread): void }): Promise<void> {
    const port = await this.ports.takeAnother(uid).catch(() => null);
    thread.post({ type: 'port-granted', port });
  }

  private inputFor(entry: RepositoryEntry, options: RunOptions, port: number, restarts: number): RunInput {
    return {
      script: options.script,
      port,
      appPort: options.port ?? port,
      ...(options.port !== undefined && options.port !== port && { requestedPort: options.port }),
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
