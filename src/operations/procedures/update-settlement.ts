import { Injectable, Logger } from '@nestjs/common';
import type { SettleInput, SettleOutput } from '../../contracts/operations.js';
import type { RepositoryEntry } from '../../registry/repository-entry.js';
import type { Job } from '../job.js';
import { RepositoryChanges } from '../repository-changes.js';

type PutBackOptions = Omit<SettleInput, 'accepted'>;

/** Until an update is accepted the registry tells of the version before it; a server that dies goes back to that. */
@Injectable()
export class UpdateSettlement {
  private readonly logger = new Logger('Updates');

  constructor(private readonly changes: RepositoryChanges) {}

  /** From here on the new version is the truth: what it would take to undo it is removed. */
  async accept(job: Job<'update'>, entry: RepositoryEntry, facts: Partial<RepositoryEntry>): Promise<void> {
    const { operationId } = job.operation;
    await this.changes.apply(entry.uid, { ...facts, lastUpdate: operationId }, { operationId });
    try {
      await job.carryThrough((steady) => steady.thread('settle', entry, { accepted: true }));
    } catch (error) {
      // The next update or the next start of the server does it.
      this.logger.warn(`What ${entry.repoId} was before its update could not be removed: ${String(error)}`);
    }
  }

  /**
   * Tree and dependencies as they were. Without an update that has begun to change them, nothing is done. With `rebuilds` one
   * whose build is lost is not settled: that takes an install, and another call.
   */
  async putBack(steady: Job<'update'>, entry: RepositoryEntry, options: PutBackOptions = {}): Promise<SettleOutput> {
    return steady.thread('settle', entry, { accepted: false, ...options });
  }
}
