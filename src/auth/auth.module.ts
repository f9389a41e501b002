import { Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { AdminKeyService } from './admin-key.service.js';
import { ApiKeyGuard } from './api-key.guard.js';
import { ApiKeysService } from './api-keys.service.js';
import { AuthController } from './auth.controller.js';
import { OwnersService } from './owners.service.js';
import { PlansController } from './plans.controller.js';
import { RepositoryAccess } from './repository-access.js';

/** Keys and what they permit. Its guard stands before every route of the application. */
@Module({
  controllers: [AuthController, PlansController],
  providers: [
    ApiKeysService,
    AdminKeyService,
    OwnersService,
    RepositoryAccess,
    { provide: APP_GUARD, useClass: ApiKeyGuard },
  ],
  exports: [ApiKeysService, AdminKeyService, RepositoryAccess],
})
export class AuthModule {}
