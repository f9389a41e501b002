import {
  Inject,
  Injectable,
  Logger,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { AppsService, type RunningApp } from '../apps/apps.service.js';
import { PERMISSIONS } from '../contracts/permissions.js';
import { STATION_OWNER, type Principal } from '../auth/principal.js';
import { STATION_CONFIG, type StationConfig } from '../config/config.js';
import { Failure } from '../contracts/failure.js';
import type { RepositoryEntry } from '../registry/repository-entry.js';
import { RepositoryRegistry } from '../registry/repository-registry.js';
import { searchOf, terminateTree } from '../workers/thread/process-tree.js';
import { WorkerPoolService } from '../workers/worker-pool.service.js';
import { AppSupervisor } from './app-supervisor.js';
import { RESTARTING, SERVER_STOPPED } from './stop-reasons.js';
import { Housekeeping } from './housekeeping.service.js';
import { OperationQueue } from './operation-queue.js';
import { OperationsService } from './operations.service.js';
import { RecoveryService } from './recovery.service.js';
import { RepositoryChanges } from './repository-changes.js';

const FULL_DISK_RETRY_MS = 5_000;
/** At most this long are apps asked to end when the server stops: the whole exit has 20 s. */
const MAX_SHUTDOWN_GRACE_MS = 8_000;

const STATION: Principal = { keyId: STATION_OWNER, owner: STATION_OWNER, admin: true, permissions: PERMISSIONS };

/** The station's own start and end, and what is due in between. */
@Injectable()
export class StationLifecycle implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger('Station');

  constructor(
    @Inject(STATION_CONFIG) private readonly config: StationConfig,
    private readonly recovery: RecoveryService,
    private readonly registry: RepositoryRegistry,
    private readonly queue: OperationQueue,
    private readonly operations: OperationsService,
    private readonly housekeeping: Housekeeping,
    private readonly apps: AppsService,
    private readonly pool: WorkerPoolService,
    private readonly supervisor: AppSupervisor,
    private readonly changes: RepositoryChanges,
  ) {
    supervisor.restartWith((uid, running, restarts) => this.restart(uid, running, restarts));
  }

  /** Before the server listens: what its last life has left is put in order. */
  async onApplicationBootstrap(): Promise<void> {
    await this.recovery.recover();
    await this.housekeeping.begin();
    this.bringBackApps((await this.registry.list()).filter(comesBack));
  }

  /**
   * Apps that ran when the server stopped or died run again, unless their policy is `no`. No more at a time than there
   * are workers: their number must not fill the queue, and what callers ask for meanwhile gets its turn among them.
   */
  private bringBackApps(entries: RepositoryEntry[]): void {
    const left = entries.values();
    for (let worker = 0; worker < this.config.maxWorkers; worker += 1) void this.bringBackInTurn(left);
  }

  private async bringBackInTurn(left: Iterable<RepositoryEntry>): Promise<void> {
    for (const { uid, repoId } of left) await this.bringBack(uid, repoId);
  }

  /** Never rejects. */
  private async bringBack(uid: string, repoId: string): Promise<void> {
    try {
      const entry = await this.registry.find(uid);
      if (!entry || !comesBack(entry)) return; // somebody was faster: it runs, was stopped or unloaded
      this.logger.log(`Brings back the app of ${repoId}`);
      const ticket = await this.operations.submit('run', entry, entry.runOptions ?? {}, { principal: STATION });
      const { error } = await ticket.finished;
      if (error) throw Failure.from(error);
    } catch (error) {
      const { code, message } = Failure.of(error);
      this.logger.warn(`${repoId} could not be brought back: ${message}`);
      if (code === 'NO_SPACE') setTimeout(() => void this.bringBack(uid, repoId), FULL_DISK_RETRY_MS).unref();
    }
  }

  /** The server still answers: no new operation is taken, all in progress ends as INTERRUPTED, apps and threads end. */
  async beforeApplicationShutdown(): Promise<void> {
    this.queue.drain();
    this.supervisor.forgetAllRestarts();
    // First of all: the end of a run that is being interrupted is the end of the server, too, and no stop of that app.
    for (const { uid } of this.apps.list()) this.apps.stopping(uid, SERVER_STOPPED);
    await this.operations.endAll(new Failure('INTERRUPTED', 'The server is shutting down'));
    const graceMs = Math.min(this.config.stopGraceMs, MAX_SHUTDOWN_GRACE_MS);
    await Promise.all(
      this.apps.list().map(async ({ uid, tree }) => {
        await terminateTree(searchOf(tree), graceMs);
        await this.apps.whenEnded(uid);
        await this.apps.settled(uid);
      }),
    );
    await this.pool.close(new Failure('DRAINING', 'The server is shutting down'));
  }

  private async restart(uid: string, { options }: RunningApp, restarts: number): Promise<void> {
    const entry = await this.registry.find(uid);
    if (!entry) return;
    const { operation } = await this.operations.submit('run', entry, options, { principal: STATION, restarts });
    this.changes.tell(entry, 'restart', { operationId: operation.operationId });
  }
}

/** Only what the end of the server itself has stopped, or has kept from its restart. */
function comesBack({ state, app, runOptions }: RepositoryEntry): boolean {
  const isDue = app?.stopReason === SERVER_STOPPED || app?.stopReason === RESTARTING;
  if (state !== 'stopped' || !isDue || !runOptions) return false;
  return runOptions.background !== false && (runOptions.restartPolicy ?? 'on-failure') !== 'no';
}
