import { Global, Module } from '@nestjs/common';
import { STATION_CONFIG, type StationConfig } from '../config/config.js';
import { WorkerPoolService } from './worker-pool.service.js';

/** How long a thread has to end its processes before it is ended by force. */
const ABORT_GRACE_MS = 5_000;
/** Threads that wait ahead of need: one for the next operation, one for the one after. */
const SPARE_THREADS = 2;

@Global()
@Module({
  providers: [
    {
      provide: WorkerPoolService,
      inject: [STATION_CONFIG],
      useFactory: ({ workerMemoryMb }: StationConfig) =>
        new WorkerPoolService({
          // thread/entry.ts and what it imports, in one file: that takes a third of the time to load.
          entry: new URL('./thread.cjs', import.meta.url),
          memoryMb: workerMemoryMb,
          spare: SPARE_THREADS,
          abortGraceMs: ABORT_GRACE_MS,
        }),
    },
  ],
  exports: [WorkerPoolService],
})
export class WorkersModule {}
