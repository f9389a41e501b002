import { Module, type DynamicModule } from '@nestjs/common';
import type { StationConfig } from './config/config.js';
import { HealthModule } from './health/health.module.js';
import { RepoModule } from './repo/repo.module.js';

/** Imports only. */
@Module({})
export class AppModule {
  static forRoot(config: StationConfig): DynamicModule {
    return { module: AppModule, imports: [RepoModule.forRoot(config), HealthModule] };
  }
}
