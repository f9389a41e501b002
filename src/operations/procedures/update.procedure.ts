import { Injectable } from '@nestjs/common';
import type { UpdateOutput } from '../../contracts/operations.js';
import { validateBranch } from '../../contracts/repository-url.js';
import type { RepositoryEntry } from '../../registry/repository-entry.js';
import type { Job, Procedure } from '../job.js';
import { RepositoryChanges } from '../repository-changes.js';
import { isStoppedOnRequest, isToReturn } from '../returning-apps.js';
import { GitAccesses } from './git-access.js';
import { ProvenRestart } from './proven-restart.js';
import { factsOf } from './update-attempt.js';
import { UpdateSettlement } from './update-settlement.js';

/** Moves the tree; the state stays, but is `cloned` where dependencies changed and nothing runs. */
@Injectable()
export class UpdateProcedure implements Procedure<'update'> {
  constructor(
    private readonly gitAccesses: GitAccesses,
    private readonly changes: RepositoryChanges,
    private readonly settlement: UpdateSettlement,
    private readonly restarts: ProvenRestart,
  ) {}

  async perform(job: Job<'update'>): Promise<unknown> {
    const before = await job.entry();
    if (job.options.branch !== undefined) validateBranch(job.options.branch);
    const asked = job.options.restart === true;
    const restarts = asked && (before.state === 'running' || isToReturn(before));
    const output = await this.move(job, before, restarts);
    const { repoUrl: _url, branch: _branch, refKind: _kind, declaresDependencies: _declares, ...result } = output;
    const isBehind = output.to !== (before.appCommit ?? output.from);
    if (restarts && isBehind && !isStoppedOnRequest(await job.entry())) {
      return { ...result, restartRequired: false, ...(await this.restarts.perform(job, before, output)) };
    }
    const now = await job.entry();
    const running = now.state === 'running';
    await this.settlement.accept(job, before, {
      ...factsOf(output),
      ...(output.dependenciesChanged && { installed: null }),
      ...(output.dependenciesChanged && !running && !isToReturn(now) && { state: 'cloned' }),
    });
    return { ...result, restartRequired: running && isBehind, ...(asked && { restarted: false }) };
  }

  private async move(job: Job<'update'>, before: RepositoryEntry, restarts: boolean): Promise<UpdateOutput> {
    try {
      return await job.thread('update', before, {
        repoUrl: before.canonicalUrl,
        branch: job.options.branch,
        tracked: { branch: before.branch ?? 'HEAD', refKind: before.refKind },
        git: await this.gitAccesses.of(before),
        installedFingerprint: before.installed?.fingerprint,
        restarts,
      });
    } catch (error) {
      // Its thread puts the tree back itself, but not one that was ended by force.
      const settled = await job
        .carryThrough((steady) => this.settlement.putBack(steady, before))
        .catch(() => undefined);
      if (settled?.failure) await this.changes.apply(before.uid, { commit: settled.commit });
      throw error;
    }
  }
}
