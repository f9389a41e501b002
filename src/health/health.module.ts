import { Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { AuthModule } from '../auth/auth.module.js';
import { OperationsModule } from '../operations/operations.module.js';
import { WorkersModule } from '../workers/workers.module.js';
import { DrainingHealth } from './draining.health.js';
import { HealthController } from './health.controller.js';
import { IsolationHealth } from './isolation.health.js';
import { ManagerHealth } from './manager.health.js';
import { StorageHealth } from './storage.health.js';
import { WorkersHealth } from './workers.health.js';

@Module({
  imports: [TerminusModule.forRoot({ logger: false }), AuthModule, OperationsModule, WorkersModule],
  controllers: [HealthController],
  providers: [ManagerHealth, WorkersHealth, IsolationHealth, StorageHealth, DrainingHealth],
})
export class HealthModule {}
