import { Table, TableIndex, type MigrationInterface, type QueryRunner } from 'typeorm';

const TABLE = 'audit_records';
const text = (name: string, isNullable = false) => ({ name, type: 'varchar', isNullable });

/** Who did what. */
export class Audit1700000003000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.createTable(
      new Table({
        name: TABLE,
        columns: [
          { name: 'audit_id', type: 'varchar', isPrimary: true },
          { name: 'time', type: 'bigint' },
          text('owner'),
          text('key_id'),
          text('door'),
          text('address', true),
          text('action'),
          text('repo_id', true),
          text('uid', true),
          text('operation_id', true),
          text('outcome'),
          text('code', true),
        ],
      }),
    );
    for (const [name, columnNames] of [
      ['audit_by_time', ['time', 'audit_id']],
      ['audit_by_operation', ['operation_id']],
    ] as const) {
      await runner.createIndex(TABLE, new TableIndex({ name, columnNames: [...columnNames] }));
    }
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.dropTable(TABLE);
  }
}
