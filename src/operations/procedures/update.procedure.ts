import { Inject, Injectable } from '@nestjs/common';
import { STATION_CONFIG, type StationConfig } from '../../config/config.js';
import { validateBranch } from '../../contracts/repository-url.js';
import type { RepositoryEntry } from '../../registry/repository-entry.js';
import type { AnyJob, Job, Procedure } from '../job.js';
import { RepositoryChanges } from '../repository-changes.js';
import { AppLauncher } from './app-launcher.js';
import { AppStopper } from './app-stopper.js';
import { gitAccess } from './git-access.js';
import { InstallProcedure } from './install.procedure.js';

/** Moves the tree; the state stays, but is `cloned` where dependencies changed and nothing runs. */
@Injectable()
export class UpdateProcedure implements Procedure<'update'> {
  constructor(
    @Inject(STATION_CONFIG) private readonly config: StationConfig,
    private readonly changes: RepositoryChanges,
    private readonly installs: InstallProcedure,
    private readonly stopper: AppStopper,
    private readonly launcher: AppLauncher,
  ) {}

  async perform(job: Job<'update'>): Promise<unknown> {
    const entry = await job.entry();
    if (job.options.branch !== undefined) validateBranch(job.options.branch);
    const output = await job.thread('update', entry, {
      repoUrl: entry.canonicalUrl,
      branch: job.options.branch,
      tracked: { branch: entry.branch ?? 'HEAD', refKind: entry.refKind },
      git: gitAccess(this.config, entry),
      installedFingerprint: entry.installed?.fingerprint,
    });
    const { repoUrl, branch, refKind, declaresDependencies, ...result } = output;
    const running = (await job.entry()).state === 'running';
    const mustInstall = output.dependenciesChanged && declaresDependencies;
    const updated = await this.changes.apply(
      entry.uid,
      {
        repoUrl,
        branch,
        refKind,
        declaresDependencies,
        commit: output.to,
        ...(output.dependenciesChanged && { installed: null }),
        ...(output.dependenciesChanged && !running && { state: 'cloned' }),
      },
      { operationId: job.operation.operationId },
    );
    const behind = running && output.from !== output.to;
    const restarted = behind && job.options.restart === true;
    if (restarted && updated) await this.restart(job, updated, mustInstall, entry.installed?.production);
    return { ...result, restartRequired: behind && !restarted, ...(job.options.restart && { restarted }) };
  }

  private async restart(
    job: AnyJob,
    entry: RepositoryEntry,
    mustInstall: boolean,
    production?: boolean,
  ): Promise<void> {
    if (mustInstall) await this.installs.install(job, entry, { production });
    await this.stopper.stop(job, entry, 'restart');
    await this.launcher.launch(job, await job.entry(), entry.runOptions ?? {});
  }
}
