import { Injectable } from '@nestjs/common';
import createDebug from 'debug';
import { Failure } from '../contracts/failure.js';
import type { Operation } from '../contracts/shapes.js';
import { OperationHistory } from '../registry/operation-history.js';
import { laneOf } from './operation-record.js';

const debug = createDebug('repo-manager:operations');

const READS_KEPT_MS = 10 * 60_000;
const READS_KEPT = 1000;

/** What is remembered of operations: the history, but of reads, which have no row there, their outcome for ten minutes. */
@Injectable()
export class OperationRecords {
  /** Finished ones by operationId, the oldest first. */
  private readonly reads = new Map<string, Operation>();

  constructor(private readonly history: OperationHistory) {}

  /** On a full disk an app can still be stopped, and a repository unloaded: those have a record once there is space. */
  async insert(operation: Operation): Promise<void> {
    if (isRead(operation)) return;
    try {
      await this.history.insert(operation);
    } catch (error) {
      const failure = Failure.of(error);
      if (failure.code !== 'NO_SPACE' || laneOf(operation.operation, {}) !== 'control') throw failure;
      debug('%s goes on without a record: %s', operation.operationId, failure.message);
    }
  }

  /** Never rejects: an operation has its outcome, whether it can be written down or not. */
  async save(operation: Operation): Promise<void> {
    if (isRead(operation)) return this.keep(operation);
    try {
      await this.history.save(operation);
    } catch (error) {
      debug('%s could not be saved: %s', operation.operationId, error);
    }
  }

  async find(operationId: string): Promise<Operation | undefined> {
    const read = this.reads.get(operationId);
    return read ? (isOver(read) ? undefined : read) : this.history.find(operationId);
  }

  private keep(read: Operation): void {
    if (read.finishedAt === undefined) return;
    this.reads.set(read.operationId, read);
    for (const [operationId, oldest] of this.reads) {
      if (this.reads.size <= READS_KEPT && !isOver(oldest)) break;
      this.reads.delete(operationId);
    }
  }
}

const isRead = ({ operation }: Operation): boolean => operation === 'status';

const isOver = ({ finishedAt = 0 }: Operation): boolean => finishedAt < Date.now() - READS_KEPT_MS;
