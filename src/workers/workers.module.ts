import { Module } from '@nestjs/common';
import { STATION_CONFIG, type StationConfig } from '../config/config.js';
import { THREAD_ENTRY } from '../installation.js';
import { WorkerPoolService } from './worker-pool.service.js';

/** How long a thread has to end its processes before it is ended by force. */
const ABORT_GRACE_MS = 5_000;
/** Threads that wait ahead of need: one for the next operation, one for the one after. */
const SPARE_THREADS = 2;

@Module({
  providers: [
    {
      provide: WorkerPoolService,
      inject: [STATION_CONFIG],
      useFactory: ({ workerMemoryMb }: StationConfig) =>
        new WorkerPoolService({
          entry: THREAD_ENTRY,
          memoryMb: workerMemoryMb,
          spare: SPARE_THREADS,
          abortGraceMs: ABORT_GRACE_MS,
        }),
    },
  ],
  exports: [WorkerPoolService],
})
export class WorkersModule {}
