import { Injectable } from '@nestjs/common';
import { repositoryView } from '../../common/repository-view.js';
import type { Job, Procedure } from '../job.js';
import { RepositoryChanges } from '../repository-changes.js';
import { RepositoryEntries } from '../repository-entries.js';
import { GitAccesses } from './git-access.js';

/** Nothing → `cloned`. When it fails or is cancelled, OperationRunner takes the repository out again. */
@Injectable()
export class CloneProcedure implements Procedure<'clone'> {
  constructor(
    private readonly gitAccesses: GitAccesses,
    private readonly changes: RepositoryChanges,
    private readonly entries: RepositoryEntries,
  ) {}

  async perform(job: Job<'clone'>): Promise<unknown> {
    const entry = await job.entry();
    const { warnings, repoUrl, ...found } = await job.thread('clone', entry, {
      repoUrl: entry.repoUrl,
      branch: job.options.branch,
      depth: entry.depth,
      git: await this.gitAccesses.of(entry),
    });
    await this.entries.locate(entry, repoUrl, job.options.repoId);
    const cloned = await this.changes.apply(
      entry.uid,
      { ...found, state: 'cloned' },
      { operationId: job.operation.operationId },
    );
    const durationMs = Date.now() - (job.operation.startedAt ?? Date.now());
    return { ...repositoryView(cloned ?? entry), durationMs, warnings };
  }
}
