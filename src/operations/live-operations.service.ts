import { Injectable } from '@nestjs/common';
import type { ActiveOperation, Operation } from '../contracts/shapes.js';
import type { RepositoryEntry } from '../registry/repository-entry.js';
import type { AnyJob } from './job.js';
import { OperationQueue } from './operation-queue.js';
import { OperationRecords } from './operation-records.js';
import type { OperationTicket } from './operation-request.js';

/** An accepted operation that has not finished. */
export interface LiveOperation {
  job: AnyJob;
  /** As it was when the operation was accepted. */
  entry: RepositoryEntry;
  finished: Promise<Operation>;
  /** Settles `finished`. */
  finish(operation: Operation): void;
}

/** What is queued or running, with its progress and its place in the queue; what has ended is read from its record. */
@Injectable()
export class LiveOperations {
  private readonly live = new Map<string, LiveOperation>();

  constructor(
    private readonly queue: OperationQueue,
    private readonly records: OperationRecords,
  ) {
    queue.onMoved(() => this.tellPositions());
  }

  add(live: LiveOperation): void {
    this.live.set(live.job.operation.operationId, live);
  }

  delete(operationId: string): void {
    this.live.delete(operationId);
  }

  get(operationId: string): LiveOperation | undefined {
    return this.live.get(operationId);
  }

  all(): LiveOperation[] {
    return [...this.live.values()];
  }

  ofRepository(uid: string): LiveOperation[] {
    return this.all().filter(({ job }) => job.operation.uid === uid);
  }

  /** The operation as it is now, also one that has ended. */
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

  /** A copy: what callers are handed does not change under them. */
  shown(operation: Operation): Operation {
    const queuePosition = this.queue.position(operation.operationId);
    const { queuePosition: _, ...rest } = operation;
    return queuePosition === undefined ? rest : { ...rest, queuePosition };
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
}
