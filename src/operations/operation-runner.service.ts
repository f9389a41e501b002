import { setImmediate as nextTurn } from 'node:timers/promises';
import { Injectable, Logger } from '@nestjs/common';
import createDebug from 'debug';
import { AppsService } from '../apps/apps.service.js';
import { AuditTrail } from '../auth/audit/audit-trail.service.js';
import { Failure } from '../contracts/failure.js';
import type { Operation } from '../contracts/shapes.js';
import { LiveOperations, type LiveOperation } from './live-operations.service.js';
import { outcomeOf } from './operation-record.js';
import { OperationQueue } from './operation-queue.js';
import { OperationRecords } from './operation-records.js';
import { Procedures } from './procedures/procedures.js';
import { RepositoryChanges } from './repository-changes.js';
import { RepositoryEntries } from './repository-entries.js';

const debug = createDebug('repo-manager:operations');

/** Carries operations out when their turn has come, and ends them: every one has exactly one outcome, written down and told. */
@Injectable()
export class OperationRunner {
  private readonly logger = new Logger('Operations');

  constructor(
    private readonly live: LiveOperations,
    private readonly queue: OperationQueue,
    private readonly records: OperationRecords,
    private readonly procedures: Procedures,
    private readonly changes: RepositoryChanges,
    private readonly entries: RepositoryEntries,
    private readonly apps: AppsService,
    private readonly audit: AuditTrail,
  ) {}

  /** Never rejects: what goes wrong is the operation's outcome. */
  async carryOut(live: LiveOperation): Promise<void> {
    const { operation } = live.job;
    const timeout = setTimeout(() => {
      const message = `The operation took longer than ${operation.timeoutMs} ms: ${operation.operation}`;
      live.job.abort(new Failure('TIMED_OUT', message, { context: { timeoutMs: operation.timeoutMs } }));
    }, operation.timeoutMs);
    try {
      Object.assign(operation, { status: 'running', startedAt: Date.now(), phase: null, message: null });
      await this.records.save(this.live.shown(operation));
      this.announce(live);
      live.job.signal.throwIfAborted();
      const result = await this.procedures.perform(live.job);
      conclude(live, { status: 'succeeded', result });
    } catch (error) {
      if (!(error instanceof Failure)) debug('%s unexpected: %O', operation.operationId, error);
      await this.withdraw(live);
      conclude(live, outcomeOf(error, live.job.signal));
    } finally {
      clearTimeout(timeout);
    }
    await this.finish(live);
  }

  /** Resolves when all of these have ended with this failure, and with all their processes. */
  async end(lives: LiveOperation[], failure: Failure): Promise<void> {
    for (const { job } of lives) job.abort(failure);
    // Before their places are free: what is queued behind a clone must not find the repository any more.
    await Promise.all(
      lives.filter((live) => this.queue.position(idOf(live)) !== undefined).map((live) => this.withdraw(live)),
    );
    const removed = this.queue.remove(lives.map(idOf));
    for (const live of lives.filter((one) => removed.has(idOf(one)))) {
      conclude(live, outcomeOf(failure));
      await this.finish(live);
      await nextTurn(); // writing the records of hundreds in one go would hold up everybody else
    }
    await Promise.all(lives.map(({ finished }) => finished));
  }

  /** It was never recorded, and so has not begun; but whoever has joined it meanwhile waits for its outcome. */
  refuse(live: LiveOperation, error: unknown): void {
    const { operation } = live.job;
    this.queue.remove([operation.operationId]);
    this.live.delete(operation.operationId);
    conclude(live, outcomeOf(error));
    live.finish(this.live.shown(operation));
  }

  /**
   * An unload ends all that was asked for before it: nobody wants a clone or an install of what is about to be removed.
   * A stop ends the runs that have not started their app yet: it would come up after its stop.
   */
  async clearTheWayFor({ job }: LiveOperation): Promise<void> {
    const { operation: name, uid, operationId } = job.operation;
    if (name !== 'unload' && name !== 'stop') return;
    const message = `The operation was cancelled: ${name} of its repository was asked for`;
    const failure = new Failure('CANCELLED', message, { context: { by: name } });
    const inTheWay = this.live.ofRepository(uid).filter(({ job: { operation } }) => {
      if (operation.operationId === operationId) return false;
      if (name === 'unload') return operation.operation !== 'status' && operation.operation !== 'stop';
      return operation.operation === 'run' && (operation.status === 'queued' || !this.apps.get(uid));
    });
    job.hasEndedStart = inTheWay.some(({ job: { operation } }) => operation.status === 'running');
    await this.end(inTheWay, failure);
  }

  /** Its status has changed. */
  announce({ entry, job }: LiveOperation): void {
    const { operationId, operation, status, error } = job.operation;
    debug('%s %s %s: %s%s', operationId, entry.repoId, operation, status, error ? ` (${error.code})` : '');
    if (operation !== 'status') this.changes.notify(entry, job.operation, job.context.socketId);
  }

  private async finish(live: LiveOperation): Promise<void> {
    const { operation } = live.job;
    await this.records.save(this.live.shown(operation));
    await this.audit.concluded(operation);
    this.live.delete(operation.operationId);
    this.announce(live);
    if (this.live.ofRepository(operation.uid).length === 0) this.changes.settled(operation.uid);
    live.finish(this.live.shown(operation));
  }

  /** Of a clone that did not succeed nothing is left but the operation and its log, from the moment on when it is told. */
  private async withdraw({ entry, job: { operation } }: LiveOperation): Promise<void> {
    if (operation.operation !== 'clone') return;
    try {
      await this.entries.withdraw(entry);
    } catch (error) {
      // The next start sees to it; the operation has its outcome all the same.
      this.logger.warn(`${entry.repoId} could not be removed after its clone: ${String(error)}`);
    }
    this.changes.unloaded(entry, operation.operationId);
  }
}

function conclude(live: LiveOperation, outcome: Partial<Operation>): void {
  Object.assign(live.job.operation, outcome, { finishedAt: Date.now(), phase: null, percent: null });
  if (outcome.status === 'succeeded') live.job.operation.percent = 100;
}

const idOf = ({ job }: LiveOperation): string => job.operation.operationId;
