import { Inject, Injectable } from '@nestjs/common';
import { AuditTrail } from '../auth/audit/audit-trail.service.js';
import { STATION_OWNER, type Principal } from '../auth/principal.js';
import { deferred } from '../common/deferred.js';
import { STATION_CONFIG, type StationConfig } from '../config/config.js';
import { Failure } from '../contracts/failure.js';
import type { CloneOptions, OperationOptions } from '../contracts/operation-options.js';
import type { OperationName } from '../contracts/operations.js';
import type { Operation } from '../contracts/shapes.js';
import { EventBus } from '../events/event-bus.js';
import type { RepositoryEntry } from '../registry/repository-entry.js';
import { RepositoryRegistry } from '../registry/repository-registry.js';
import { WorkerPoolService } from '../workers/worker-pool.service.js';
import { Job } from './job.js';
import { LiveOperations, type LiveOperation } from './live-operations.service.js';
import { laneOf, newRecord, timeoutOf } from './operation-record.js';
import { isLight, OperationQueue, type Lane } from './operation-queue.js';
import { OperationRecords } from './operation-records.js';
import type { OperationTicket, SubmitContext } from './operation-request.js';
import { OperationRunner } from './operation-runner.service.js';
import { RepositoryChanges, audienceOf } from './repository-changes.js';
import { RepositoryEntries } from './repository-entries.js';
import { StationFolders } from './station-folders.js';
import { StationIsolation } from './station-isolation.js';

/** Of one owner: an app may take half a minute to end, and others want to stop theirs meanwhile. */
const LIGHT_AT_ONCE = 4;

/** The one way to have something done to a repository, for every door. */
@Injectable()
export class OperationsService {
  constructor(
    @Inject(STATION_CONFIG) private readonly config: StationConfig,
    private readonly registry: RepositoryRegistry,
    private readonly live: LiveOperations,
    private readonly runner: OperationRunner,
    private readonly records: OperationRecords,
    private readonly queue: OperationQueue,
    private readonly pool: WorkerPoolService,
    private readonly folders: StationFolders,
    private readonly isolation: StationIsolation,
    private readonly changes: RepositoryChanges,
    private readonly entries: RepositoryEntries,
    private readonly bus: EventBus,
    private readonly audit: AuditTrail,
  ) {}

  /** Enters the repository and queues its clone. ALREADY_LOADED, INVALID_URL, QUEUE_FULL … come before anything has started. */
  async clone(options: CloneOptions, context: SubmitContext): Promise<OperationTicket> {
    const entry = await this.entries.enter(options, context.principal);
    try {
      return await this.submit('clone', entry, options, context);
    } catch (error) {
      await this.entries.withdraw(entry);
      throw error;
    }
  }

  /** Queues an operation on a repository that the caller was found to be allowed to change. */
  async submit<K extends OperationName>(
    name: K,
    entry: RepositoryEntry,
    options: OperationOptions[K],
    context: SubmitContext,
  ): Promise<OperationTicket> {
    if (name === 'unload') {
      const joined = this.live.ofRepository(entry.uid).find(({ job }) => job.operation.operation === 'unload');
      if (joined) return { operation: this.live.shown(joined.job.operation), finished: joined.finished };
    }
    const { owner, plan } = context.principal;
    const lane = laneOf(name, options);
    if (!isLight(lane)) plan?.requireRoomFor('queuedOperations', this.queue.waitingOf(owner));
    const job = this.jobFor(name, entry, options, context);
    const { operation } = job;
    const { promise: finished, resolve: finish } = deferred<Operation>();
    const live: LiveOperation = { job, entry, finished, finish };
    this.live.add(live);
    // The place in the queue is taken before anything is awaited: operations keep the order in which they were asked for.
    const recorded = deferred<boolean | Promise<boolean>>();
    try {
      this.queue.add({
        operationId: operation.operationId,
        uid: entry.uid,
        owner,
        lane,
        atOnce: atOnceOf(lane, context.principal),
        exclusive: name !== 'stop' && name !== 'status',
        start: async (giveUpPlace) => {
          job.giveUpPlace = giveUpPlace;
          if (await recorded.promise) await this.runner.carryOut(live);
        },
      });
      await this.records.insert(this.live.shown(operation));
      if (name !== 'status') await this.audit.accepted(operation, context.principal, context.origin);
      recorded.resolve(this.runner.clearTheWayFor(live).then(() => true));
    } catch (error) {
      recorded.resolve(false);
      this.runner.refuse(live, error);
      throw Failure.of(error);
    }
    this.runner.announce(live);
    return { operation: this.live.shown(operation), finished };
  }

  /** Resolves once its processes are dead. OPERATION_NOT_FOUND; ALREADY_FINISHED when there is nothing to cancel. */
  async cancel(operationId: string): Promise<Operation> {
    const live = this.live.get(operationId);
    if (!live) {
      const operation = await this.records.find(operationId);
      if (!operation) throw new Failure('OPERATION_NOT_FOUND', `There is no operation ${operationId}`);
      throw new Failure('ALREADY_FINISHED', `The operation has already finished: ${operation.status}`, {
        context: { operationId, status: operation.status },
      });
    }
    await this.runner.end([live], new Failure('CANCELLED', 'The operation was cancelled on request'));
    return live.finished;
  }

  /** Ends everything that is queued or running with this failure; resolves when all of it has ended. */
  async endAll(failure: Failure): Promise<void> {
    await this.runner.end(this.live.all(), failure);
  }

  private jobFor<K extends OperationName>(
    name: K,
    entry: RepositoryEntry,
    options: OperationOptions[K],
    context: SubmitContext,
  ): Job<K> {
    const operation = newRecord(name, entry, context.principal.owner, timeoutOf(name, options, entry, this.config));
    return new Job<K>(operation, options, context, {
      registry: this.registry,
      pool: this.pool,
      folders: this.folders,
      isolation: this.isolation,
      onProgress: (one) => this.changes.progress(entry, this.live.shown(one.operation), context.socketId),
      onLog: (_, about, operationId, { lastSeq, bytes }) =>
        this.bus.publish('log', { audience: audienceOf(about), operationId, lastSeq, bytes }),
    });
  }
}

/** How many operations of this lane an owner has running at the same time; null is no limit. */
function atOnceOf(lane: Lane, { owner, plan }: Principal): number | null {
  if (isLight(lane)) return owner === STATION_OWNER ? null : LIGHT_AT_ONCE;
  return lane === 'work' ? (plan?.quotas.operationsAtOnce ?? null) : null;
}
