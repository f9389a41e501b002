import { Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { AdminKeyService } from './admin-key.service.js';
import { ApiKeyGuard } from './api-key.guard.js';
import { ApiKeysService } from './api-keys.service.js';
import { AuthController } from './auth.controller.js';
import { MeService } from './me.service.js';
import { RepositoryAccess } from './repository-access.js';

/** Keys and what they permit. Its guard stands before every route of the application. */
@Module({
  controllers: [AuthController],
  providers: [
    ApiKeysService,
    AdminKeyService,
    MeService,
    RepositoryAccess,
    { provide: APP_GUARD, useClass: ApiKeyGuard },
  ],
  exports: [ApiKeysService, AdminKeyService, RepositoryAccess],
})
export class AuthModule {}
