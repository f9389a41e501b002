import { Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { IdempotencyModule } from '../idempotency/idempotency.module.js';
import { AuditModule } from './audit/audit.module.js';
import { OwnerPlansModule } from './owner-plans.module.js';
import { AdminKeyService } from './admin-key.service.js';
import { ApiKeyGuard } from './api-key.guard.js';
import { ApiKeysService } from './api-keys.service.js';
import { CredentialsController } from './credentials.controller.js';
import { GitCredentialsService } from './git-credentials.service.js';
import { KeysController } from './keys.controller.js';
import { PatreonController } from './patreon/patreon.controller.js';
import { SignInService } from './patreon/sign-in.service.js';
import { WebhookController } from './patreon/webhook.controller.js';
import { WebhookService } from './patreon/webhook.service.js';
import { PlansController } from './plans/plans.controller.js';
import { RateLimit } from './rate-limit.service.js';
import { RepositoryAccess } from './repository-access.js';

/** Keys and what they permit. Its guard stands before every route of the application. */
@Module({
  imports: [OwnerPlansModule, AuditModule, IdempotencyModule],
  controllers: [KeysController, PlansController, CredentialsController, PatreonController, WebhookController],
  providers: [
    ApiKeysService,
    AdminKeyService,
    GitCredentialsService,
    SignInService,
    WebhookService,
    RateLimit,
    RepositoryAccess,
    { provide: APP_GUARD, useClass: ApiKeyGuard },
  ],
  exports: [ApiKeysService, RateLimit, AdminKeyService, RepositoryAccess],
})
export class AuthModule {}
