import { Module } from '@nestjs/common';
import { AuthModule } from '../auth/auth.module.js';
import { AuditModule } from '../auth/audit/audit.module.js';
import { OwnerPlansModule } from '../auth/owner-plans.module.js';
import { IdempotencyModule } from '../idempotency/idempotency.module.js';
import { OperationsModule } from '../operations/operations.module.js';
import { OwnerUseService } from './owner-use.service.js';
import { OwnersController } from './owners.controller.js';
import { OwnersService } from './owners.service.js';
import { PlanEnforcement } from './plan-enforcement.service.js';

/** What owners have and use, and what follows for it from their plans. */
@Module({
  imports: [AuthModule, OwnerPlansModule, OperationsModule, AuditModule, IdempotencyModule],
  controllers: [OwnersController],
  providers: [OwnersService, OwnerUseService, PlanEnforcement],
  exports: [OwnerUseService],
})
export class OwnersModule {}
