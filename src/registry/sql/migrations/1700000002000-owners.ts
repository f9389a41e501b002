import { Table, type MigrationInterface, type QueryRunner } from 'typeorm';

/** Owners that were granted a plan. */
export class Owners1700000002000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.createTable(
      new Table({
        name: 'owners',
        columns: [
          { name: 'owner', type: 'varchar', isPrimary: true },
          { name: 'record', type: 'text' },
        ],
      }),
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.dropTable('owners');
  }
}
