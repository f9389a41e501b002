import { inspect, isDeepStrictEqual } from 'node:util';
import { Injectable, Logger } from '@nestjs/common';
import { Failure } from '../../contracts/failure.js';
import type { OperationName } from '../../contracts/operations.js';
import type { AnyJob, Procedure } from '../job.js';
import { RepositoryChanges } from '../repository-changes.js';
import { StationIsolation } from '../station-isolation.js';
import { CloneProcedure } from './clone.procedure.js';
import { InstallProcedure } from './install.procedure.js';
import { RunProcedure } from './run.procedure.js';
import { StatusProcedure } from './status.procedure.js';
import { StopProcedure } from './stop.procedure.js';
import { UnloadProcedure } from './unload.procedure.js';
import { UpdateProcedure } from './update.procedure.js';

/** What runs programs. An unload goes on where the clone before it has taken the repository out again. */
const LIMITED = new Set<OperationName>(['clone', 'install', 'update', 'run']);

/** Every operation has its procedure, or this does not compile. */
@Injectable()
export class Procedures {
  private readonly logger = new Logger('Operations');
  private readonly byName: { [K in OperationName]: Procedure<K> };

  constructor(
    clone: CloneProcedure,
    install: InstallProcedure,
    update: UpdateProcedure,
    run: RunProcedure,
    stop: StopProcedure,
    status: StatusProcedure,
    unload: UnloadProcedure,
    private readonly isolation: StationIsolation,
    private readonly changes: RepositoryChanges,
  ) {
    this.byName = { clone, install, update, run, stop, status, unload };
  }

  async perform(job: AnyJob): Promise<unknown> {
    const { operation, operationId, repoId } = job.operation;
    try {
      if (LIMITED.has(operation)) await this.renewLimits(job);
      return await (this.byName[operation] as Procedure<OperationName>).perform(job);
    } catch (error) {
      // Callers are told no more than that it happened.
      if (!(error instanceof Failure)) {
        this.logger.error(`${operation} of ${repoId} failed unexpectedly, ${operationId}: ${inspect(error)}`);
      }
      throw error;
    }
  }

  /** The owner may have been granted another plan since: what is begun now is held to that, and reported so. */
  private async renewLimits(job: AnyJob): Promise<void> {
    const entry = await job.entry();
    const { limits } = this.isolation.planFor(entry);
    if (!isDeepStrictEqual(entry.limits, limits)) await this.changes.apply(entry.uid, { limits });
  }
}
