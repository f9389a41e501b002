import { Global, Logger, Module, type OnApplicationShutdown } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { STATION_CONFIG, type StationConfig } from '../config/config.js';
import { AuditStore } from './audit-store.js';
import { CredentialStore } from './credential-store.js';
import { IdempotencyStore } from './idempotency-store.js';
import { KeyStore } from './key-store.js';
import { Manifests } from './manifests.js';
import { OperationHistory } from './operation-history.js';
import { OwnerStore } from './owner-store.js';
import { PatronStore } from './patron-store.js';
import { RepositoryRegistry } from './repository-registry.js';
import { Secrets } from './secrets.js';
import { openDatabase } from './sql/database.js';
import { SqlAuditStore } from './sql/sql-audit-store.js';
import { SqlCredentialStore } from './sql/sql-credential-store.js';
import { SqlIdempotencyStore } from './sql/sql-idempotency-store.js';
import { SqlKeyStore } from './sql/sql-key-store.js';
import { SqlOwnerStore } from './sql/sql-owner-store.js';
import { SqlOperationHistory } from './sql/sql-operation-history.js';
import { SqlPatronStore } from './sql/sql-patron-store.js';
import { SqlRepositoryRegistry } from './sql/sql-repository-registry.js';

const logger = new Logger('Registry');

/** What the station remembers. Others know the ports (abstract classes) only. */
@Global()
@Module({
  providers: [
    {
      provide: DataSource,
      inject: [STATION_CONFIG],
      useFactory: ({ dataDir }: StationConfig) =>
        openDatabase(dataDir, (keptAs) =>
          logger.warn(`The database was damaged; it is kept as ${keptAs}, and a new one is made from the manifests`),
        ),
    },
    { provide: Secrets, inject: [STATION_CONFIG], useFactory: (config: StationConfig) => Secrets.load(config) },
    {
      provide: Manifests,
      inject: [STATION_CONFIG, Secrets],
      useFactory: (config: StationConfig, secrets: Secrets) => new Manifests(config, secrets),
    },
    {
      provide: RepositoryRegistry,
      inject: [DataSource, Manifests, Secrets],
      useFactory: (database: DataSource, manifests: Manifests, secrets: Secrets) =>
        new SqlRepositoryRegistry(database, manifests, secrets),
    },
    {
      provide: OperationHistory,
      inject: [DataSource],
      useFactory: (database: DataSource) => new SqlOperationHistory(database),
    },
    { provide: KeyStore, inject: [DataSource], useFactory: (database: DataSource) => new SqlKeyStore(database) },
    { provide: AuditStore, inject: [DataSource], useFactory: (database: DataSource) => new SqlAuditStore(database) },
    { provide: OwnerStore, inject: [DataSource], useFactory: (database: DataSource) => new SqlOwnerStore(database) },
    {
      provide: PatronStore,
      inject: [DataSource, Secrets],
      useFactory: (database: DataSource, secrets: Secrets) => new SqlPatronStore(database, secrets),
    },
    {
      provide: CredentialStore,
      inject: [DataSource, Secrets],
      useFactory: (database: DataSource, secrets: Secrets) => new SqlCredentialStore(database, secrets),
    },
    {
      provide: IdempotencyStore,
      inject: [DataSource, Secrets],
      useFactory: (database: DataSource, secrets: Secrets) => new SqlIdempotencyStore(database, secrets),
    },
  ],
  exports: [
    Manifests,
    RepositoryRegistry,
    OperationHistory,
    IdempotencyStore,
    KeyStore,
    OwnerStore,
    PatronStore,
    CredentialStore,
    AuditStore,
  ],
})
export class RegistryModule implements OnApplicationShutdown {
  constructor(private readonly database: DataSource) {}

  async onApplicationShutdown(): Promise<void> {
    await this.database.destroy();
  }
}
