import { Injectable } from '@nestjs/common';
import type { Job, Procedure } from '../job.js';
import { AppStopper } from './app-stopper.js';

/** Ends the running app, if there is one. */
@Injectable()
export class StopProcedure implements Procedure<'stop'> {
  constructor(private readonly stopper: AppStopper) {}

  async perform(job: Job<'stop'>): Promise<unknown> {
    const stopped = await this.stopper.stop(
      job,
      await job.entry(),
      job.context.stopReason ?? 'stop',
      job.options.graceMs,
    );
    return job.hasEndedStart ? { ...stopped, alreadyStopped: false } : stopped;
  }
}
