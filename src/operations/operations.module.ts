import { Module } from '@nestjs/common';
import { AppListener, AppsService } from '../apps/apps.service.js';
import { LogBudget } from '../apps/log-budget.js';
import { LogReader } from '../apps/log-reader.js';
import { PortsService } from '../apps/ports.service.js';
import { AuditModule } from '../auth/audit/audit.module.js';
import { OwnerPlansModule } from '../auth/owner-plans.module.js';
import { OwnerPlans } from '../auth/owner-plans.js';
import { STATION_CONFIG, type StationConfig } from '../config/config.js';
import { readRegistryAccess } from '../config/registry-access.js';
import { IdempotencyModule } from '../idempotency/idempotency.module.js';
import { WorkersModule } from '../workers/workers.module.js';
import { AppSupervisor } from './app-supervisor.js';
import { Housekeeping } from './housekeeping.service.js';
import { InProcessOperationQueue } from './in-process-operation-queue.js';
import { LiveOperations } from './live-operations.service.js';
import { LogKeeper } from './log-keeper.service.js';
import { OperationQueue } from './operation-queue.js';
import { OperationRecords } from './operation-records.js';
import { OperationRunner } from './operation-runner.service.js';
import { OperationsService } from './operations.service.js';
import { AppLauncher } from './procedures/app-launcher.js';
import { AppStopper } from './procedures/app-stopper.js';
import { CloneProcedure } from './procedures/clone.procedure.js';
import { GitAccesses } from './procedures/git-access.js';
import { InstallProcedure } from './procedures/install.procedure.js';
import { HealthGate } from './procedures/health-gate.js';
import { Procedures } from './procedures/procedures.js';
import { ProvenRestart } from './procedures/proven-restart.js';
import { RunProcedure } from './procedures/run.procedure.js';
import { StatusProcedure } from './procedures/status.procedure.js';
import { StopProcedure } from './procedures/stop.procedure.js';
import { UnloadProcedure } from './procedures/unload.procedure.js';
import { UpdateProcedure } from './procedures/update.procedure.js';
import { UpdateRollback } from './procedures/update-rollback.js';
import { UpdateSettlement } from './procedures/update-settlement.js';
import { RecoveryService } from './recovery.service.js';
import { RepositoryChanges } from './repository-changes.js';
import { RepositoryEntries } from './repository-entries.js';
import { StationFolders } from './station-folders.js';
import { StationIsolation } from './station-isolation.js';
import { StationLifecycle } from './station-lifecycle.service.js';
import { StationTools } from './station-tools.js';

/** How many status reads, stops and unloads go on beside the work of MAX_WORKERS: a stop mostly waits. */
const READS = 8;
const CONTROLS = 32;

const PROCEDURES = [
  Procedures,
  CloneProcedure,
  InstallProcedure,
  UpdateProcedure,
  RunProcedure,
  StopProcedure,
  StatusProcedure,
  UnloadProcedure,
  AppLauncher,
  AppStopper,
  GitAccesses,
  HealthGate,
  ProvenRestart,
  UpdateRollback,
  UpdateSettlement,
];

/** Having things done: the queue, the records, what surrounds each operation's thread, and the apps that run. */
@Module({
  imports: [WorkersModule, OwnerPlansModule, AuditModule, IdempotencyModule],
  providers: [
    {
      provide: OperationQueue,
      inject: [STATION_CONFIG],
      useFactory: ({ maxWorkers, maxQueue }: StationConfig) =>
        new InProcessOperationQueue({
          lanes: { work: maxWorkers, read: READS, control: CONTROLS, foreground: Infinity },
          waiting: maxQueue,
        }),
    },
    {
      provide: StationTools,
      inject: [StationFolders],
      useFactory: async ({ toolchains }: StationFolders) =>
        new StationTools({ store: toolchains, registry: await readRegistryAccess() }),
    },
    {
      provide: StationIsolation,
      inject: [STATION_CONFIG, StationFolders, StationTools, OwnerPlans],
      useFactory: (config: StationConfig, folders: StationFolders, { access }: StationTools, owners: OwnerPlans) =>
        StationIsolation.findOut(config, folders, access.registry, owners),
    },
    { provide: LogReader, inject: [StationFolders], useFactory: ({ logs }: StationFolders) => new LogReader(logs) },
    {
      provide: LogBudget,
      inject: [STATION_CONFIG, StationFolders, LogReader],
      useFactory: ({ logMaxBytes, logFiles }: StationConfig, { logs }: StationFolders, reader: LogReader) =>
        new LogBudget(logs, reader, logMaxBytes * logFiles),
    },
    { provide: AppListener, useExisting: AppSupervisor },
    AppSupervisor,
    AppsService,
    PortsService,
    StationFolders,
    OperationRecords,
    LiveOperations,
    OperationRunner,
    OperationsService,
    Housekeeping,
    LogKeeper,
    RepositoryChanges,
    RepositoryEntries,
    RecoveryService,
    StationLifecycle,
    ...PROCEDURES,
  ],
  exports: [
    OperationQueue,
    LiveOperations,
    OperationsService,
    Housekeeping,
    RepositoryChanges,
    RepositoryEntries,
    StationFolders,
    StationIsolation,
    StationLifecycle,
    LogReader,
  ],
})
export class OperationsModule {}
