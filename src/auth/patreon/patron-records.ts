import { KeyedMutex } from '../../common/keyed-mutex.js';
import type { PatronRecord, PatronStore } from '../../registry/patron-store.js';

/** Everybody who has signed in with Patreon, by Patreon's id. In memory as well: every request asks. */
export class PatronRecords {
  /** By id: the last change is what is written last. */
  private readonly writes = new KeyedMutex();
  /** What could not be written, as on a full disk, is written with the next change. */
  private readonly unsaved = new Set<string>();

  private constructor(
    private readonly store: PatronStore,
    private readonly records: Map<string, PatronRecord>,
  ) {}

  static async load(store: PatronStore): Promise<PatronRecords> {
    return new PatronRecords(store, new Map((await store.list()).map((record) => [record.patreonId, record])));
  }

  all(): PatronRecord[] {
    return [...this.records.values()];
  }

  get(patreonId: string): PatronRecord | undefined {
    return this.records.get(patreonId);
  }

  /** Counts at once; resolves when it is written. */
  async set(record: PatronRecord): Promise<void> {
    const { patreonId } = record;
    const before = this.records.get(patreonId);
    this.records.set(patreonId, record);
    if (before && isSame(before, record) && !this.unsaved.has(patreonId)) return;
    this.unsaved.add(patreonId);
    await this.writes.runExclusive(patreonId, async () => {
      const latest = this.records.get(patreonId) ?? record;
      await this.store.save(latest);
      if (latest === this.records.get(patreonId)) this.unsaved.delete(patreonId);
    });
  }
}

const isSame = (one: PatronRecord, other: PatronRecord): boolean => JSON.stringify(one) === JSON.stringify(other);
