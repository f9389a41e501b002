import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { KeyedMutex } from '../common/keyed-mutex.js';
import { Failure } from '../contracts/failure.js';
import type { GitCredentials } from '../contracts/operations.js';
import { CredentialStore, type StoredCredential } from '../registry/credential-store.js';

const MAX_PER_OWNER = 100;

/** Git credentials that owners store once and clone with often. */
@Injectable()
export class GitCredentialsService {
  private readonly mutex = new KeyedMutex();

  constructor(private readonly store: CredentialStore) {}

  /** BAD_REQUEST where the owner has stored as many as one may. */
  async keep(owner: string, name: string, secret: GitCredentials): Promise<StoredCredential> {
    // One at a time for each owner: two must not both find the last place free.
    return this.mutex.runExclusive(owner, async () => {
      if ((await this.store.listOf(owner)).length >= MAX_PER_OWNER) {
        throw new Failure('BAD_REQUEST', `${MAX_PER_OWNER} credentials are stored already: remove some first.`);
      }
      const credentialId = `cred_${randomBytes(8).toString('hex')}`;
      const credential = { credentialId, owner, name, createdAt: Date.now(), secret };
      await this.store.insert(credential);
      return credential;
    });
  }

  listOf(owner: string): Promise<StoredCredential[]> {
    return this.store.listOf(owner);
  }

  /** CREDENTIAL_NOT_FOUND where the owner has none of this id. */
  async remove(owner: string, credentialId: string): Promise<StoredCredential> {
    const found = await this.store.find(credentialId);
    if (found?.owner === owner && (await this.store.remove(credentialId))) return found;
    throw new Failure('CREDENTIAL_NOT_FOUND', 'You have stored no credentials with this id.');
  }
}
