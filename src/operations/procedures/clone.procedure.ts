import { Inject, Injectable } from '@nestjs/common';
import { repositoryView } from '../../common/repository-view.js';
import { STATION_CONFIG, type StationConfig } from '../../config/config.js';
import { RepositoryRegistry } from '../../registry/repository-registry.js';
import type { Job, Procedure } from '../job.js';
import { RepositoryChanges } from '../repository-changes.js';
import { gitAccess } from './git-access.js';

/** Nothing → `cloned`. Failed or cancelled, nothing is left of the repository but the operation and its log. */
@Injectable()
export class CloneProcedure implements Procedure<'clone'> {
  constructor(
    @Inject(STATION_CONFIG) private readonly config: StationConfig,
    private readonly registry: RepositoryRegistry,
    private readonly changes: RepositoryChanges,
  ) {}

  async perform(job: Job<'clone'>): Promise<unknown> {
    const entry = await job.entry();
    try {
      const { warnings, ...found } = await job.thread('clone', entry, {
        repoUrl: entry.repoUrl,
        branch: job.options.branch,
        depth: entry.depth,
        git: gitAccess(this.config, entry),
      });
      const cloned = await this.changes.apply(
        entry.uid,
        { ...found, state: 'cloned' },
        { operationId: job.operation.operationId },
      );
      const durationMs = Date.now() - (job.operation.startedAt ?? Date.now());
      return { ...repositoryView(cloned ?? entry), durationMs, warnings };
    } catch (error) {
      await this.registry.remove(entry.uid);
      this.changes.tell(entry, 'unloaded', { operationId: job.operation.operationId });
      this.changes.forget(entry.uid);
      throw error;
    }
  }
}
