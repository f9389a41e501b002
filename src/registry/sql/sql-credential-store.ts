import type { DataSource, Repository as Table } from 'typeorm';
import type { GitCredentials } from '../../contracts/operations.js';
import { CredentialStore, type StoredCredential } from '../credential-store.js';
import type { Secrets } from '../secrets.js';
import { whileWriting } from './database.js';
import { CredentialTable, type CredentialRow } from './tables.js';

export class SqlCredentialStore extends CredentialStore {
  private readonly table: Table<CredentialRow>;

  constructor(
    database: DataSource,
    private readonly secrets: Secrets,
  ) {
    super();
    this.table = database.getRepository(CredentialTable);
  }

  async insert({ secret, ...credential }: StoredCredential): Promise<void> {
    await whileWriting(this.table.insert({ ...credential, secret: this.secrets.seal(secret) }));
  }

  async find(credentialId: string): Promise<StoredCredential | undefined> {
    const row = await this.table.findOneBy({ credentialId });
    return row ? this.opened(row) : undefined;
  }

  async listOf(owner: string): Promise<StoredCredential[]> {
    return (await this.table.find({ where: { owner }, order: { createdAt: 'ASC' } })).map((row) => this.opened(row));
  }

  async remove(credentialId: string): Promise<boolean> {
    const { affected } = await whileWriting(this.table.delete({ credentialId }));
    return affected === 1;
  }

  private opened(row: CredentialRow): StoredCredential {
    return { ...row, secret: this.secrets.open(row.secret) as GitCredentials | null };
  }
}
