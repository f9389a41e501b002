import { TableColumn, type MigrationInterface, type QueryRunner } from 'typeorm';

const TABLE = 'audit_records';

/** What else than a repository something was done to. */
export class AuditTarget1700000005000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.addColumn(TABLE, new TableColumn({ name: 'target', type: 'varchar', isNullable: true }));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.dropColumn(TABLE, 'target');
  }
}
