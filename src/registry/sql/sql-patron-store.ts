import type { DataSource, Repository as Table } from 'typeorm';
import { PatronStore, type CreatorTokens, type PatreonTokens, type PatronRecord } from '../patron-store.js';
import type { Secrets } from '../secrets.js';
import { whileWriting } from './database.js';
import { CreatorTokensTable, PatronTable, type CreatorTokensRow, type PatronRow } from './tables.js';

/** There is one campaign. */
const CREATOR = 'creator';

/** Tokens that were sealed with another key are none: whose they are signs in again. */
export class SqlPatronStore extends PatronStore {
  private readonly patrons: Table<PatronRow>;
  private readonly creator: Table<CreatorTokensRow>;

  constructor(
    database: DataSource,
    private readonly secrets: Secrets,
  ) {
    super();
    this.patrons = database.getRepository(PatronTable);
    this.creator = database.getRepository(CreatorTokensTable);
  }

  async list(): Promise<PatronRecord[]> {
    return (await this.patrons.find()).map(({ record, tokens }) => ({
      ...(JSON.parse(record) as Omit<PatronRecord, 'tokens'>),
      tokens: tokens === null ? null : (this.secrets.open(tokens) as PatreonTokens | null),
    }));
  }

  async save({ tokens, ...record }: PatronRecord): Promise<void> {
    await whileWriting(
      this.patrons.save({
        patreonId: record.patreonId,
        record: JSON.stringify(record),
        tokens: tokens && this.secrets.seal(tokens),
      }),
    );
  }

  async creatorTokens(): Promise<CreatorTokens | null> {
    const row = await this.creator.findOneBy({ id: CREATOR });
    return row && (this.secrets.open(row.tokens) as CreatorTokens | null);
  }

  async saveCreatorTokens(tokens: CreatorTokens): Promise<void> {
    await whileWriting(this.creator.save({ id: CREATOR, tokens: this.secrets.seal(tokens) }));
  }
}
