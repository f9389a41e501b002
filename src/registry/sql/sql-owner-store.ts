import type { DataSource, Repository as Table } from 'typeorm';
import { OwnerStore, type OwnerRecord } from '../owner-store.js';
import { whileWriting } from './database.js';
import { OwnerTable, type OwnerRow } from './tables.js';

export class SqlOwnerStore extends OwnerStore {
  private readonly table: Table<OwnerRow>;

  constructor(database: DataSource) {
    super();
    this.table = database.getRepository(OwnerTable);
  }

  async list(): Promise<OwnerRecord[]> {
    return (await this.table.find()).map(({ record }) => JSON.parse(record) as OwnerRecord);
  }

  async save(record: OwnerRecord): Promise<void> {
    await whileWriting(this.table.save({ owner: record.owner, record: JSON.stringify(record) }));
  }
}
