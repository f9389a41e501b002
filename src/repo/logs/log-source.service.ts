import { Injectable } from '@nestjs/common';
import type { Principal } from '../../auth/principal.js';
import { maySee } from '../../auth/repository-access.js';
import { LogReader } from '../../apps/log-reader.js';
import type { LogSource } from '../../contracts/events.js';
import { Failure } from '../../contracts/failure.js';
import type { OperationName } from '../../contracts/operation-names.js';
import { isToReturn } from '../../operations/returning-apps.js';
import { LiveOperations } from '../../operations/live-operations.service.js';
import { KEPT_PER_REPOSITORY, OperationHistory } from '../../registry/operation-history.js';
import type { RepositoryEntry } from '../../registry/repository-entry.js';
import { RepositoryRegistry } from '../../registry/repository-registry.js';
import { isUnfinished } from '../operation-reads.service.js';

/** One log: that of an operation, or of the app that a run started. */
export interface LogTarget {
  uid: string;
  operationId: string;
}

/** Knows which log is meant, and whether anything can still be added to it. */
@Injectable()
export class LogSourceService {
  constructor(
    private readonly live: LiveOperations,
    private readonly history: OperationHistory,
    private readonly registry: RepositoryRegistry,
    private readonly logs: LogReader,
  ) {}

  /** The named operation's log, else the latest of that source; undefined when there has been none. */
  async choose(entry: RepositoryEntry, source: LogSource, operationId?: string): Promise<LogTarget | undefined> {
    const { uid } = entry;
    if (operationId !== undefined) {
      const operation = await this.history.find(operationId);
      if (operation?.uid === uid || (!operation && (await this.isOfRun(uid, operationId)))) return { uid, operationId };
      throw new Failure('OPERATION_NOT_FOUND', `"${entry.repoId}" has no operation "${operationId}".`);
    }
    // The app may have been started by an update: then it is none of the operations below.
    if (source === 'app' && entry.appOperationId !== null) {
      const app = { uid, operationId: entry.appOperationId };
      if (entry.state === 'running' || (await this.logs.exists(uid, app.operationId))) return app;
    }
    const { operations } = await this.history.list({ uid, limit: KEPT_PER_REPOSITORY });
    const candidates = operations.filter((operation) => sourceOf(operation.operation) === source);
    // A run that was refused (ALREADY_RUNNING, PORT_IN_USE) has no output; the latest that has is meant.
    for (const candidate of candidates) {
      if (await this.logs.exists(uid, candidate.operationId)) return { uid, operationId: candidate.operationId };
    }
    const [latest] = candidates;
    return latest && { uid, operationId: latest.operationId };
  }

  /** As it is now: a repository can become private, or go while what its operations have written stays theirs to read. */
  async mayRead({ uid, operationId }: LogTarget, reader: Principal): Promise<boolean> {
    const entry = await this.registry.find(uid);
    if (entry && maySee(reader, entry)) return true;
    const operation = await this.live.find(operationId);
    return operation !== undefined && (reader.admin || operation.owner === reader.owner);
  }

  /** An app that was started by an update has a log of its own, but no operation. */
  private async isOfRun(uid: string, runId: string): Promise<boolean> {
    return /^op_[0-9a-f]+$/.test(runId) && this.logs.exists(uid, runId);
  }

  /** What a log that is being written is of; undefined for operations whose output nobody asks for by source. */
  async sourceOfLog(operationId: string): Promise<LogSource | undefined> {
    const operation = await this.live.find(operationId);
    return operation ? sourceOf(operation.operation) : 'app'; // an update has started it, or its run is long forgotten
  }

  /** A finished operation's log is complete, but for that of a run: it grows as long as its app lives. */
  async canGrow({ uid, operationId }: LogTarget): Promise<boolean> {
    const operation = await this.live.find(operationId);
    if (operation && isUnfinished(operation)) return true;
    const entry = await this.registry.find(uid);
    if (entry?.appOperationId !== operationId) return false;
    return entry.state === 'running' || isToReturn(entry); // then another log follows, which its reader is not to miss
  }
}

function sourceOf(operation: OperationName): LogSource | undefined {
  if (operation === 'run') return 'app';
  return operation === 'clone' || operation === 'install' || operation === 'update' ? operation : undefined;
}
