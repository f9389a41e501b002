import { Injectable } from '@nestjs/common';
import { Failure } from '../../contracts/failure.js';
import type { Job, Procedure } from '../job.js';
import { AppLauncher } from './app-launcher.js';

/** Starts the app. Whether the state allows it is decided here, when its turn has come. */
@Injectable()
export class RunProcedure implements Procedure<'run'> {
  constructor(private readonly launcher: AppLauncher) {}

  async perform(job: Job<'run'>): Promise<unknown> {
    const entry = await job.entry();
    if (entry.state === 'running') {
      throw new Failure('ALREADY_RUNNING', `The app of ${entry.repoId} is running already`, {
        context: { url: entry.app?.url, pid: entry.app?.pid, startedAt: entry.app?.startedAt },
      });
    }
    if (!entry.installed && entry.declaresDependencies) {
      throw new Failure('DEPENDENCIES_NOT_INSTALLED', `The dependencies of ${entry.repoId} are not installed`, {
        suggestion: `Run install first: POST /repo/${entry.repoId}/install`,
      });
    }
    // As it is: no start undoes an update any more that could not be undone.
    if (entry.state === 'error') await job.thread('settle', entry, { accepted: true });
    return this.launcher.launch(job, entry, job.options, job.context.restarts);
  }
}
