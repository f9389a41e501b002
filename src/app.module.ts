import { Global, Module, type DynamicModule } from '@nestjs/common';
import { AuthModule } from './auth/auth.module.js';
import { STATION_CONFIG, type StationConfig } from './config/config.js';
import { EventsModule } from './events/events.module.js';
import { HealthModule } from './health/health.module.js';
import { OperationsModule } from './operations/operations.module.js';
import { RegistryModule } from './registry/registry.module.js';
import { RepoModule } from './repo/repo.module.js';
import { WorkersModule } from './workers/workers.module.js';

/** Imports only. */
@Global()
@Module({})
export class AppModule {
  static forRoot(config: StationConfig): DynamicModule {
    return {
      module: AppModule,
      imports: [EventsModule, RegistryModule, WorkersModule, OperationsModule, AuthModule, RepoModule, HealthModule],
      providers: [{ provide: STATION_CONFIG, useValue: config }],
      exports: [STATION_CONFIG],
    };
  }
}
