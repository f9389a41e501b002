import { Table, TableIndex, type MigrationInterface, type QueryRunner } from 'typeorm';

const text = (name: string, more: object = {}) => ({ name, type: 'varchar', ...more });
const time = (name: string, more: object = {}) => ({ name, type: 'bigint', ...more });
const index = (name: string, columnNames: string[], more: object = {}) =>
  new TableIndex({ name, columnNames, ...more });

/** Repositories, operations, keys, idempotency keys. Written with TypeORM's schema words, for SQLite and PostgreSQL alike. */
export class FirstTables1700000000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.createTable(
      new Table({
        name: 'repositories',
        columns: [
          text('uid', { isPrimary: true }),
          text('owner'),
          text('repo_id'),
          time('created_at'),
          text('home_node'),
          { name: 'epoch', type: 'integer' },
          { name: 'entry', type: 'text' },
        ],
        indices: [
          index('repositories_owner_repo_id', ['owner', 'repo_id'], { isUnique: true }),
          index('repositories_repo_id', ['repo_id']),
        ],
      }),
    );
    await runner.createTable(
      new Table({
        name: 'operations',
        columns: [
          text('operation_id', { isPrimary: true }),
          text('uid'),
          text('owner'),
          text('status'),
          time('queued_at'),
          time('finished_at', { isNullable: true }),
          { name: 'operation', type: 'text' },
        ],
        indices: [
          index('operations_uid_queued_at', ['uid', 'queued_at']),
          index('operations_owner_queued_at', ['owner', 'queued_at']),
          index('operations_status', ['status']),
        ],
      }),
    );
    await runner.createTable(
      new Table({
        name: 'api_keys',
        columns: [
          text('id', { isPrimary: true }),
          text('name'),
          text('owner'),
          { name: 'admin', type: 'boolean' },
          { name: 'scopes', type: 'text' },
          text('prefix'),
          text('digest'),
          time('created_at'),
          time('expires_at', { isNullable: true }),
          time('last_used_at', { isNullable: true }),
        ],
        indices: [index('api_keys_digest', ['digest'], { isUnique: true })],
      }),
    );
    await runner.createTable(
      new Table({
        name: 'idempotency_keys',
        columns: [text('scope', { isPrimary: true }), text('body_digest'), text('operation_id'), time('created_at')],
      }),
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of ['idempotency_keys', 'api_keys', 'operations', 'repositories']) await runner.dropTable(table);
  }
}
