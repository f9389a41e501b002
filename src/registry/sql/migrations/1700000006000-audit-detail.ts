import { TableColumn, type MigrationInterface, type QueryRunner } from 'typeorm';

const TABLE = 'audit_records';

/** What exactly was done, where the action does not say it. */
export class AuditDetail1700000006000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.addColumn(TABLE, new TableColumn({ name: 'detail', type: 'varchar', isNullable: true }));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.dropColumn(TABLE, 'detail');
  }
}
