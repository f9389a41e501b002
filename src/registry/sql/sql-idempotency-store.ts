import { LessThan, type DataSource, type Repository as Table } from 'typeorm';
import { IdempotencyStore, type IdempotencyRecord } from '../idempotency-store.js';
import type { Secrets } from '../secrets.js';
import { whileWriting } from './database.js';
import { IdempotencyTable, type IdempotencyRow } from './tables.js';

export class SqlIdempotencyStore extends IdempotencyStore {
  private readonly table: Table<IdempotencyRow>;

  constructor(
    database: DataSource,
    private readonly secrets: Secrets,
  ) {
    super();
    this.table = database.getRepository(IdempotencyTable);
  }

  async find(scope: string): Promise<IdempotencyRecord | undefined> {
    const row = await this.table.findOneBy({ scope });
    return row ? { ...row, answer: row.answer === null ? null : this.secrets.open(row.answer) } : undefined;
  }

  async save({ answer, ...record }: IdempotencyRecord): Promise<void> {
    await whileWriting(this.table.save({ ...record, answer: answer === null ? null : this.secrets.seal(answer) }));
  }

  async prune(before: number): Promise<void> {
    await this.table.delete({ createdAt: LessThan(before) });
  }
}
