import { Module, type DynamicModule } from '@nestjs/common';
import { AuditModule } from '../auth/audit/audit.module.js';
import { AuthModule } from '../auth/auth.module.js';
import { ConfigModule } from '../config/config.module.js';
import { configWith, type StationOptions } from '../config/config.js';
import { EventsModule } from '../events/events.module.js';
import { OperationsModule } from '../operations/operations.module.js';
import { IdempotencyModule } from '../idempotency/idempotency.module.js';
import { OwnersModule } from '../owners/owners.module.js';
import { RegistryModule } from '../registry/registry.module.js';
import { LogAnswersService } from './logs/log-answers.service.js';
import { LogFollowerService } from './logs/log-follower.service.js';
import { LogSourceService } from './logs/log-source.service.js';
import { OperationReadsService } from './operation-reads.service.js';
import { OperationsController } from './operations.controller.js';
import { RepoController } from './repo.controller.js';
import { RepoGateway } from './repo.gateway.js';
import { RepoService } from './repo.service.js';
import { RestOperationsService } from './rest-operations.service.js';
import { BroadcasterService } from './sockets/broadcaster.service.js';
import { SessionsService } from './sockets/sessions.service.js';
import { SocketOperationsService } from './sockets/socket-operations.service.js';
import { SubscriptionsService } from './sockets/subscriptions.service.js';

/** The doors to the repositories, REST and Socket.IO, and with `forRoot` all that is behind them. */
@Module({
  imports: [AuthModule, AuditModule, OwnersModule, OperationsModule, IdempotencyModule],
  controllers: [RepoController, OperationsController],
  providers: [
    RepoService,
    OperationReadsService,
    RestOperationsService,
    LogSourceService,
    LogFollowerService,
    LogAnswersService,
    RepoGateway,
    SessionsService,
    SocketOperationsService,
    SubscriptionsService,
    BroadcasterService,
  ],
  exports: [RepoService, OperationReadsService],
})
export class RepoModule {
  /**
   * For an application of one's own: `RepoModule.forRoot({ workspaceDir, maxWorkers, workerTimeout })`. What is not given
   * comes from the environment. The application calls `applyAppSetup(app)` as the station does.
   */
  static forRoot(options: StationOptions = {}): DynamicModule {
    return {
      module: RepoModule,
      imports: [ConfigModule.forRoot(configWith(options, process.env)), EventsModule, RegistryModule],
    };
  }
}
