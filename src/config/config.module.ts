import { Global, Module, type DynamicModule } from '@nestjs/common';
import { STATION_CONFIG, type StationConfig } from './config.js';

@Global()
@Module({})
export class ConfigModule {
  static forRoot(config: StationConfig): DynamicModule {
    return {
      module: ConfigModule,
      providers: [{ provide: STATION_CONFIG, useValue: config }],
      exports: [STATION_CONFIG],
    };
  }
}
