import type { DataSource, Repository as Table } from 'typeorm';
import { KeyedMutex } from '../../common/keyed-mutex.js';
import { Failure } from '../../contracts/failure.js';
import { packEntry, unpackEntry, type Manifests } from '../manifests.js';
import type { RepositoryEntry } from '../repository-entry.js';
import { RepositoryRegistry } from '../repository-registry.js';
import type { Secrets } from '../secrets.js';
import { sqliteCode, whileWriting } from './database.js';
import { RepositoryTable, type RepositoryRow } from './tables.js';
import { Unwritten } from './unwritten.js';

export class SqlRepositoryRegistry extends RepositoryRegistry {
  private readonly table: Table<RepositoryRow>;
  /** By uid: an update reads, changes and writes, and must not do so beside another. */
  private readonly writes = new KeyedMutex();
  private readonly unwritten = new Unwritten<RepositoryEntry>(({ uid }) => this.update(uid, {}));

  constructor(
    database: DataSource,
    private readonly manifests: Manifests,
    private readonly secrets: Secrets,
  ) {
    super();
    this.table = database.getRepository(RepositoryTable);
  }

  async insert(entry: RepositoryEntry): Promise<void> {
    try {
      await whileWriting(this.table.insert(this.toRow(entry)));
    } catch (error) {
      if (!sqliteCode(error)?.startsWith('SQLITE_CONSTRAINT')) throw error;
      throw new Failure('REPO_ID_TAKEN', `You already have a repository named ${entry.repoId}`, {
        context: { repoId: entry.repoId },
        cause: error,
      });
    }
    try {
      await this.manifests.write(entry);
    } catch (error) {
      await this.table.delete({ uid: entry.uid });
      throw Failure.of(error);
    }
  }

  async find(uid: string): Promise<RepositoryEntry | undefined> {
    return this.toEntry(await this.table.findOneBy({ uid }));
  }

  async findByRepoId(repoId: string): Promise<RepositoryEntry[]> {
    return this.toEntries(await this.table.findBy({ repoId }));
  }

  async list(): Promise<RepositoryEntry[]> {
    return this.toEntries(await this.table.find({ order: { createdAt: 'ASC' } }));
  }

  async listOf(owner: string): Promise<RepositoryEntry[]> {
    return this.toEntries(await this.table.find({ where: { owner }, order: { createdAt: 'ASC' } }));
  }

  async update(
    uid: string,
    changes: Partial<RepositoryEntry> | ((before: RepositoryEntry) => Partial<RepositoryEntry>),
  ): Promise<RepositoryEntry | undefined> {
    return this.writes.runExclusive(uid, async () => {
      const before = await this.find(uid);
      if (!before) return undefined;
      const wanted = typeof changes === 'function' ? changes(before) : changes;
      const entry = { ...before, ...wanted, updatedAt: Date.now() };
      await this.unwritten.orHold(uid, entry, async () => {
        await whileWriting(this.table.update({ uid }, this.toRow(entry)));
        await this.manifests.write(entry);
      });
      return entry;
    });
  }

  async remove(uid: string): Promise<void> {
    await this.writes.runExclusive(uid, async () => {
      await this.manifests.remove(uid);
      await whileWriting(this.table.delete({ uid }));
      this.unwritten.forget(uid);
    });
  }

  private toRow(entry: RepositoryEntry): RepositoryRow {
    const { uid, owner, repoId, createdAt, homeNode, epoch } = entry;
    return { uid, owner, repoId, createdAt, homeNode, epoch, entry: packEntry(entry, this.secrets) };
  }

  private toEntry(row: RepositoryRow | null): RepositoryEntry | undefined {
    return row ? (this.unwritten.get(row.uid) ?? unpackEntry(row.entry, this.secrets)) : undefined;
  }

  private toEntries(rows: RepositoryRow[]): RepositoryEntry[] {
    return rows.map((row) => this.unwritten.get(row.uid) ?? unpackEntry(row.entry, this.secrets));
  }
}
