import { LessThan, type DataSource, type Repository as Table } from 'typeorm';
import { IdempotencyStore, type IdempotencyRecord } from '../idempotency-store.js';
import { whileWriting } from './database.js';
import { IdempotencyTable } from './tables.js';

export class SqlIdempotencyStore extends IdempotencyStore {
  private readonly table: Table<IdempotencyRecord>;

  constructor(database: DataSource) {
    super();
    this.table = database.getRepository(IdempotencyTable);
  }

  async find(scope: string): Promise<IdempotencyRecord | undefined> {
    return (await this.table.findOneBy({ scope })) ?? undefined;
  }

  async save(record: IdempotencyRecord): Promise<void> {
    await whileWriting(this.table.save(record));
  }

  async prune(before: number): Promise<void> {
    await this.table.delete({ createdAt: LessThan(before) });
  }
}
