import { TableColumn, type MigrationInterface, type QueryRunner } from 'typeorm';

const TABLE = 'idempotency_keys';
const operationId = (isNullable: boolean) => new TableColumn({ name: 'operation_id', type: 'varchar', isNullable });

/** An Idempotency-Key may stand for an answer that comes of no operation. */
export class IdempotentAnswers1700000001000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.changeColumn(TABLE, 'operation_id', operationId(true));
    await runner.addColumn(TABLE, new TableColumn({ name: 'answer', type: 'text', isNullable: true }));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DELETE FROM ${TABLE} WHERE operation_id IS NULL`);
    await runner.dropColumn(TABLE, 'answer');
    await runner.changeColumn(TABLE, 'operation_id', operationId(false));
  }
}
