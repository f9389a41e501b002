import { setImmediate as nextTurn } from 'node:timers/promises';
import { Inject, Injectable, Logger } from '@nestjs/common';
import createDebug from 'debug';
import { AppsService } from '../apps/apps.service.js';
import { AuditTrail } from '../auth/audit/audit-trail.service.js';
import { deferred } from '../common/deferred.js';
import { STATION_CONFIG, type StationConfig } from '../config/config.js';
import { Failure } from '../contracts/failure.js';
import type { OperationName } from '../contracts/operations.js';
import type { ActiveOperation, Operation } from '../contracts/shapes.js';
import { EventBus } from '../events/event-bus.js';
import type { RepositoryEntry } from '../registry/repository-entry.js';
import { RepositoryRegistry } from '../registry/repository-registry.js';
import { WorkerPoolService } from '../workers/worker-pool.service.js';
import { Job, type AnyJob } from './job.js';
import type { CloneOptions, OperationOptions } from '../contracts/operation-options.js';
import type { OperationTicket, SubmitContext } from './operation-request.js';
import { OperationQueue } from './operation-queue.js';
import { laneOf, newRecord, outcomeOf, timeoutOf } from './operation-record.js';
import { OperationRecords } from './operation-records.js';
import { Procedures } from './procedures/procedures.js';
import { RepositoryChanges, audienceOf } from './repository-changes.js';
import { RepositoryEntries } from './repository-entries.js';
import { StationFolders } from './station-folders.js';
import { StationIsolation } from './station-isolation.js';

const debug = createDebug('repo-manager:operations');

/** An accepted operation that has not finished. */
interface Live {
  job: AnyJob;
  /** As it was when the operation was accepted. */
  entry: RepositoryEntry;
  finished: Promise<Operation>;
  finish(operation: Operation): void;
}

/** The one way to have something done to a repository, for every door. */
@Injectable()
export class OperationsService {
  private readonly logger = new Logger('Operations');
  private readonly live = new Map<string, Live>();

  constructor(
    @Inject(STATION_CONFIG) private readonly config: StationConfig,
    private readonly registry: RepositoryRegistry,
    private readonly records: OperationRecords,
    private readonly queue: OperationQueue,
    private readonly pool: WorkerPoolService,
    private readonly folders: StationFolders,
    private readonly isolation: StationIsolation,
    private readonly changes: RepositoryChanges,
    private readonly entries: RepositoryEntries,
    private readonly procedures: Procedures,
    private readonly bus: EventBus,
    private readonly apps: AppsService,
    private readonly audit: AuditTrail,
  ) {
    queue.onMoved(() => this.tellPositions());
  }

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
      const joined = this.ofRepository(entry.uid).find(({ job }) => job.operation.operation === 'unload');
      if (joined) return { operation: this.shown(joined.job.operation), finished: joined.finished };
    }
    const { owner, plan } = context.principal;
    const lane = laneOf(name, options);
    if (lane === 'work') plan?.requireRoomFor('queuedOperations', this.queue.waitingOf(owner, lane));
    const operation = newRecord(name, entry, owner, timeoutOf(name, options, entry, this.config));
    const job = new Job<K>(operation, options, context, {
      registry: this.registry,
      pool: this.pool,
      folders: this.folders,
      isolation: this.isolation,
      onProgress: (one) => this.changes.progress(entry, this.shown(one.operation), context.socketId),
      onLog: (_, about, operationId, { lastSeq, bytes }) =>
        this.bus.publish('log', { audience: audienceOf(about), operationId, lastSeq, bytes }),
    });
    const { promise: finished, resolve: finish } = deferred<Operation>();
    const live: Live = { job, entry, finished, finish };
    this.live.set(operation.operationId, live);
    // The place in the queue is taken before anything is awaited: operations keep the order in which they were asked for.
    const recorded = deferred<boolean | Promise<boolean>>();
    try {
      this.queue.add({
        operationId: operation.operationId,
        uid: entry.uid,
        owner,
        lane,
        atOnce: lane === 'work' ? (plan?.quotas.operationsAtOnce ?? null) : null,
        exclusive: name !== 'stop' && name !== 'status',
        start: async () => {
          if (await recorded.promise) await this.carryOut(live);
        },
      });
      await this.records.insert(this.shown(operation));
      if (name !== 'status') await this.audit.accepted(operation, context.principal, context.origin);
      recorded.resolve(this.clearTheWayFor(live).then(() => true));
    } catch (error) {
      recorded.resolve(false);
      this.queue.remove([operation.operationId]);
      this.live.delete(operation.operationId);
      // Whoever has joined it meanwhile waits for its outcome.
      this.conclude(live, outcomeOf(error));
      finish(this.shown(operation));
      throw Failure.of(error);
    }
    this.announce(live);
    return { operation: this.shown(operation), finished };
  }

  /** Resolves once its processes are dead. ALREADY_FINISHED when there is nothing to cancel. */
  async cancel(operationId: string): Promise<Operation> {
    const live = this.live.get(operationId);
    if (!live) {
      const operation = await this.records.find(operationId);
      if (!operation) throw new Failure('OPERATION_NOT_FOUND', `There is no operation ${operationId}`);
      throw new Failure('ALREADY_FINISHED', `The operation has ${operation.status} already`, {
        context: { operationId, status: operation.status },
      });
    }
    await this.end([live], new Failure('CANCELLED', 'The operation was cancelled on request'));
    return live.finished;
  }

  /** The record as it is now, with live progress and queue position. */
  async find(operationId: string): Promise<Operation | undefined> {
    const live = this.live.get(operationId);
    return live ? this.shown(live.job.operation) : this.records.find(operationId);
  }

  /** An operation that was accepted earlier, to wait for or to read the outcome of. */
  async ticket(operationId: string): Promise<OperationTicket | undefined> {
    const live = this.live.get(operationId);
    if (live) return { operation: this.shown(live.job.operation), finished: live.finished };
    const operation = await this.records.find(operationId);
    return operation && { operation, finished: Promise.resolve(operation) };
  }

  /** A page of the history with what is live in it as it is now. */
  withProgress(operations: Operation[]): Operation[] {
    return operations.map((operation) => {
      const live = this.live.get(operation.operationId);
      return live ? this.shown(live.job.operation) : operation;
    });
  }

  /** The operation in progress on a repository, else the one that is next in turn. */
  active(uid: string): ActiveOperation | undefined {
    const all = this.ofRepository(uid)
      .map(({ job }) => job.operation)
      .filter(({ operation }) => operation !== 'status');
    const found = all.find(({ status }) => status === 'running') ?? all[0];
    if (!found) return undefined;
    const { operationId, operation, phase, percent, queuePosition } = this.shown(found);
    return { operationId, operation, phase, percent, ...(queuePosition !== undefined && { queuePosition }) };
  }

  /** Ends everything that is queued or running with this failure; resolves when all of it has ended. */
  async endAll(failure: Failure): Promise<void> {
    await this.end([...this.live.values()], failure);
  }

  private async carryOut(live: Live): Promise<void> {
    const { operation } = live.job;
    const timeout = setTimeout(() => {
      const message = `The operation took longer than ${operation.timeoutMs} ms: ${operation.operation}`;
      live.job.abort(new Failure('TIMED_OUT', message, { context: { timeoutMs: operation.timeoutMs } }));
    }, operation.timeoutMs);
    try {
      Object.assign(operation, { status: 'running', startedAt: Date.now() });
      await this.records.save(this.shown(operation));
      this.announce(live);
      live.job.signal.throwIfAborted();
      const result = await this.procedures.perform(live.job);
      this.conclude(live, { status: 'succeeded', result });
    } catch (error) {
      if (!(error instanceof Failure)) debug('%s unexpected: %O', operation.operationId, error);
      await this.withdraw(live);
      this.conclude(live, outcomeOf(error, live.job.signal));
    } finally {
      clearTimeout(timeout);
    }
    await this.finish(live);
  }

  private conclude(live: Live, outcome: Partial<Operation>): void {
    Object.assign(live.job.operation, outcome, { finishedAt: Date.now(), phase: null, percent: null });
    if (outcome.status === 'succeeded') live.job.operation.percent = 100;
  }

  private async finish(live: Live): Promise<void> {
    const { operation } = live.job;
    await this.records.save(this.shown(operation));
    await this.audit.concluded(operation);
    this.live.delete(operation.operationId);
    this.announce(live);
    if (this.ofRepository(operation.uid).length === 0) this.changes.settled(operation.uid);
    live.finish(this.shown(operation));
  }

  /** Of a clone that did not succeed nothing is left but the operation and its log, from the moment on when it is told. */
  private async withdraw({ entry, job: { operation } }: Live): Promise<void> {
    if (operation.operation !== 'clone') return;
    try {
      await this.entries.withdraw(entry);
    } catch (error) {
      // The next start sees to it; the operation has its outcome all the same.
      this.logger.warn(`${entry.repoId} could not be removed after its clone: ${String(error)}`);
    }
    this.changes.unloaded(entry, operation.operationId);
  }

  /** Resolves when all of these have ended, with all their processes. */
  private async end(lives: Live[], failure: Failure): Promise<void> {
    for (const { job } of lives) job.abort(failure);
    const idOf = ({ job }: Live) => job.operation.operationId;
    // Before their places are free: what is queued behind a clone must not find the repository any more.
    await Promise.all(
      lives.filter((live) => this.queue.position(idOf(live)) !== undefined).map((live) => this.withdraw(live)),
    );
    const removed = this.queue.remove(lives.map(idOf));
    for (const live of lives.filter((one) => removed.has(idOf(one)))) {
      this.conclude(live, outcomeOf(failure));
      await this.finish(live);
      await nextTurn(); // writing the records of hundreds in one go would hold up everybody else
    }
    await Promise.all(lives.map(({ finished }) => finished));
  }

  /**
   * An unload ends all that was asked for before it: nobody wants a clone or an install of what is about to be removed.
   * A stop ends the runs that have not started their app yet: it would come up after its stop.
   */
  private async clearTheWayFor({ job }: Live): Promise<void> {
    const { operation: name, uid, operationId } = job.operation;
    if (name !== 'unload' && name !== 'stop') return;
    const message = `The operation was cancelled: ${name} of its repository was asked for`;
    const failure = new Failure('CANCELLED', message, { context: { by: name } });
    const inTheWay = this.ofRepository(uid).filter(({ job: { operation } }) => {
      if (operation.operationId === operationId) return false;
      if (name === 'unload') return operation.operation !== 'status' && operation.operation !== 'stop';
      return operation.operation === 'run' && (operation.status === 'queued' || !this.apps.get(uid));
    });
    job.hasEndedStart = inTheWay.some(({ job: { operation } }) => operation.status === 'running');
    await this.end(inTheWay, failure);
  }

  private ofRepository(uid: string): Live[] {
    return [...this.live.values()].filter(({ job }) => job.operation.uid === uid);
  }

  private announce({ entry, job }: Live): void {
    const { operationId, operation, status, error } = job.operation;
    debug('%s %s %s: %s%s', operationId, entry.repoId, operation, status, error ? ` (${error.code})` : '');
    if (operation !== 'status') this.changes.notify(entry, job.operation, job.context.socketId);
  }

  /** Waiting operations hear of their place when it has changed. */
  private tellPositions(): void {
    for (const { job } of this.live.values()) {
      const position = this.queue.position(job.operation.operationId);
      if (position === job.operation.queuePosition) continue;
      job.operation.queuePosition = position;
      if (position !== undefined) job.progress('queued', null, `${position} in the queue`);
    }
  }

  /** A copy: what callers are handed does not change under them. */
  private shown(operation: Operation): Operation {
    const queuePosition = this.queue.position(operation.operationId);
    const { queuePosition: _, ...rest } = operation;
    return queuePosition === undefined ? rest : { ...rest, queuePosition };
  }
}
