import { TableIndex, type MigrationInterface, type QueryRunner } from 'typeorm';

const NAME = 'operations_queued_at';

/** The history of all owners is read newest first, page by page. */
export class OperationsByTime1700000007000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.createIndex('operations', new TableIndex({ name: NAME, columnNames: ['queued_at', 'operation_id'] }));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.dropIndex('operations', NAME);
  }
}
