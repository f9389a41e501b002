import { Injectable } from '@nestjs/common';
import type { OperationName } from '../../contracts/operations.js';
import type { AnyJob, Procedure } from '../job.js';
import { CloneProcedure } from './clone.procedure.js';
import { InstallProcedure } from './install.procedure.js';
import { RunProcedure } from './run.procedure.js';
import { StatusProcedure } from './status.procedure.js';
import { StopProcedure } from './stop.procedure.js';
import { UnloadProcedure } from './unload.procedure.js';
import { UpdateProcedure } from './update.procedure.js';

/** Every operation has its procedure, or this does not compile. */
@Injectable()
export class Procedures {
  private readonly byName: { [K in OperationName]: Procedure<K> };

  constructor(
    clone: CloneProcedure,
    install: InstallProcedure,
    update: UpdateProcedure,
    run: RunProcedure,
    stop: StopProcedure,
    status: StatusProcedure,
    unload: UnloadProcedure,
  ) {
    this.byName = { clone, install, update, run, stop, status, unload };
  }

  perform(job: AnyJob): Promise<unknown> {
    return (this.byName[job.operation.operation] as Procedure<OperationName>).perform(job);
  }
}
