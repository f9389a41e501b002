import type { DataSource, Repository as Table } from 'typeorm';
import type { Permission } from '../../contracts/permissions.js';
import { KeyStore, type StoredKey } from '../key-store.js';
import { whileWriting } from './database.js';
import { KeyTable, type KeyRow } from './tables.js';

export class SqlKeyStore extends KeyStore {
  private readonly table: Table<KeyRow>;

  constructor(database: DataSource) {
    super();
    this.table = database.getRepository(KeyTable);
  }

  async insert(key: StoredKey): Promise<void> {
    await whileWriting(this.table.insert({ ...key, scopes: key.scopes.join(' ') }));
  }

  async replace(key: StoredKey): Promise<void> {
    await whileWriting(this.table.save({ ...key, scopes: key.scopes.join(' ') }));
  }

  async findByDigest(digest: string): Promise<StoredKey | undefined> {
    const row = await this.table.findOneBy({ digest });
    return row ? toKey(row) : undefined;
  }

  async list(): Promise<StoredKey[]> {
    return (await this.table.find({ order: { createdAt: 'ASC' } })).map(toKey);
  }

  async listOf(owner: string): Promise<StoredKey[]> {
    return (await this.table.find({ where: { owner }, order: { createdAt: 'ASC' } })).map(toKey);
  }

  async owners(): Promise<string[]> {
    const rows = await this.table.createQueryBuilder('k').select('k.owner', 'owner').distinct().getRawMany<KeyRow>();
    return rows.map(({ owner }) => owner);
  }

  async remove(id: string): Promise<boolean> {
    const { affected } = await whileWriting(this.table.delete({ id }));
    return affected === 1;
  }

  async touch(id: string, lastUsedAt: number): Promise<void> {
    await whileWriting(this.table.update({ id }, { lastUsedAt }));
  }
}

function toKey(row: KeyRow): StoredKey {
  return { ...row, scopes: row.scopes.split(' ').filter(Boolean) as Permission[] };
}
