import { Injectable } from '@nestjs/common';
import { PortsService } from '../../apps/ports.service.js';
import { RepositoryRegistry } from '../../registry/repository-registry.js';
import type { Job, Procedure } from '../job.js';
import { RepositoryChanges } from '../repository-changes.js';
import { AppStopper } from './app-stopper.js';

/** Stops the app, removes workspace, caches and entry. What was queued before it has been cancelled by then. */
@Injectable()
export class UnloadProcedure implements Procedure<'unload'> {
  constructor(
    private readonly registry: RepositoryRegistry,
    private readonly changes: RepositoryChanges,
    private readonly stopper: AppStopper,
    private readonly ports: PortsService,
  ) {}

  async perform(job: Job<'unload'>): Promise<unknown> {
    const entry = await this.registry.find(job.operation.uid);
    // Its first clone was cancelled for this, and has left nothing.
    if (!entry) return { unloaded: true, appStopped: false, freedBytes: 0 };
    const stopped = await this.stopper.stop(job, entry, 'unload');
    const { freedBytes } = await job.thread('unload', entry, {});
    const last = await this.registry.find(entry.uid); // with the app stopped
    await this.registry.remove(entry.uid);
    this.ports.forget(entry.uid);
    this.changes.unloaded(last ?? entry, job.operation.operationId);
    return { unloaded: true, appStopped: !stopped.alreadyStopped, freedBytes };
  }
}
