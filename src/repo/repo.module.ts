import { Module } from '@nestjs/common';
import { AuthModule } from '../auth/auth.module.js';
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

/** The doors to the repositories: REST and Socket.IO. */
@Module({
  imports: [AuthModule],
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
export class RepoModule {}
