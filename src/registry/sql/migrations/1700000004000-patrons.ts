import { Table, TableIndex, type MigrationInterface, type QueryRunner } from 'typeorm';

/** Who has signed in with Patreon, the creator's tokens, and the Git credentials that owners have stored. */
export class Patrons1700000004000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.createTable(
      new Table({
        name: 'patrons',
        columns: [
          { name: 'patreon_id', type: 'varchar', isPrimary: true },
          { name: 'record', type: 'text' },
          { name: 'tokens', type: 'text', isNullable: true },
        ],
      }),
    );
    await runner.createTable(
      new Table({
        name: 'creator_tokens',
        columns: [
          { name: 'id', type: 'varchar', isPrimary: true },
          { name: 'tokens', type: 'text' },
        ],
      }),
    );
    await runner.createTable(
      new Table({
        name: 'git_credentials',
        columns: [
          { name: 'credential_id', type: 'varchar', isPrimary: true },
          { name: 'owner', type: 'varchar' },
          { name: 'name', type: 'varchar' },
          { name: 'created_at', type: 'bigint' },
          { name: 'secret', type: 'text' },
        ],
      }),
    );
    await runner.createIndex(
      'git_credentials',
      new TableIndex({ name: 'git_credentials_owner', columnNames: ['owner'] }),
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of ['git_credentials', 'creator_tokens', 'patrons']) await runner.dropTable(table);
  }
}
