import {
  Inject,
  Injectable,
  Logger,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { AppsService } from '../apps/apps.service.js';
import { STATION } from '../auth/principal.js';
import { STATION_CONFIG, type StationConfig } from '../config/config.js';
import { Failure } from '../contracts/failure.js';
import { EventBus } from '../events/event-bus.js';
import type { RepositoryEntry } from '../registry/repository-entry.js';
import { RepositoryRegistry } from '../registry/repository-registry.js';
import { terminateTree } from '../machine/end-tree.js';
import { searchOf } from '../machine/process-tree.js';
import { WorkerPoolService } from '../workers/worker-pool.service.js';
import { AppSupervisor } from './app-supervisor.js';
import { isToReturn } from './returning-apps.js';
import { Housekeeping } from './housekeeping.service.js';
import { OperationQueue } from './operation-queue.js';
import { OperationsService } from './operations.service.js';
import { RecoveryService } from './recovery.service.js';
import { RepositoryChanges } from './repository-changes.js';

/** At most this long are apps asked to end when the server stops: the whole exit has 20 s. */
const MAX_SHUTDOWN_GRACE_MS = 8_000;

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
    private readonly bus: EventBus,
  ) {
    supervisor.restartWith((uid, restarts) => this.startAgain(uid, restarts));
  }

  /** Before the server listens: what its last life has left is put in order. */
  async onApplicationBootstrap(): Promise<void> {
    const late = await this.recovery.recover();
    await this.housekeeping.begin();
    this.bringBackApps((await this.registry.list()).filter((entry) => isToReturn(entry) && !late.has(entry.uid)));
    for (const [uid, undone] of late) void undone.then(() => this.startAgain(uid, 1));
    this.bus.publish('recovered', {});
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
    for (const { uid, repoId, app } of left) {
      this.logger.log(`Brings back the app of ${repoId}`);
      // It has lived before: dying soon after this start is no failed start either.
      await this.startAgain(uid, Math.max(1, app?.restarts ?? 0));
    }
  }

  /** Never rejects. */
  private async startAgain(uid: string, restarts: number): Promise<void> {
    try {
      const entry = await this.registry.find(uid);
      if (!entry || !isToReturn(entry)) return; // somebody was faster: it runs, was stopped or unloaded
      const failure = await this.runAgain(entry, restarts);
      if (failure) await this.supervisor.onReturnFailed(entry, restarts, failure);
    } catch (error) {
      this.logger.error(`The app of ${uid} was given up: ${String(error)}`);
    }
  }

  private async runAgain(entry: RepositoryEntry, restarts: number): Promise<Failure | undefined> {
    try {
      const asked = { principal: STATION, restarts };
      const { operation, finished } = await this.operations.submit('run', entry, entry.runOptions ?? {}, asked);
      this.changes.tell(entry, 'restart', { operationId: operation.operationId });
      const { error } = await finished;
      return error && Failure.from(error);
    } catch (error) {
      return Failure.of(error);
    }
  }

  /** The server still answers: no new operation is taken, all in progress ends as INTERRUPTED, apps and threads end. */
  async beforeApplicationShutdown(): Promise<void> {
    this.queue.drain();
    this.supervisor.forgetAllRestarts();
    // First of all: the end of a run that is being interrupted is the end of the server, too, and no stop of that app.
    for (const { uid } of this.apps.list()) this.apps.stopping(uid, 'server-stopped');
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
}
