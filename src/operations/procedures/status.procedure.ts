import { Injectable } from '@nestjs/common';
import { repositoryView } from '../../common/repository-view.js';
import type { Job, Procedure } from '../job.js';

/** Reads in a thread, changes nothing, waits for nobody. */
@Injectable()
export class StatusProcedure implements Procedure<'status'> {
  async perform(job: Job<'status'>): Promise<unknown> {
    const entry = await job.entry();
    if (entry.state === 'cloning') return { ...repositoryView(entry), ...NOTHING_YET };
    const { process, ...read } = await job.thread('status', entry, {
      installed: entry.installed ?? undefined,
      tree: entry.appTree ?? undefined,
    });
    // As it is now: the app may have ended while the disk was being read.
    const now = await job.entry();
    const app = now.state === 'running' && now.app && { ...now.app, ...process };
    return { ...repositoryView(now), ...read, process: app || null };
  }
}

/** Of a repository whose first clone still runs there is nothing to read. */
const NOTHING_YET = { git: null, package: null, diskBytes: 0, process: null, warnings: [] };
