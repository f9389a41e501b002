import { Inject, Injectable } from '@nestjs/common';
import { STATION_CONFIG, type StationConfig } from '../../config/config.js';
import { Failure } from '../../contracts/failure.js';
import type { GitAccess, GitCredentials } from '../../contracts/operations.js';
import { CredentialStore } from '../../registry/credential-store.js';
import type { RepositoryEntry } from '../../registry/repository-entry.js';

/** What git may use to reach a repository. */
@Injectable()
export class GitAccesses {
  constructor(
    @Inject(STATION_CONFIG) private readonly config: StationConfig,
    private readonly stored: CredentialStore,
  ) {}

  /** CREDENTIAL_NOT_FOUND where the stored ones that it uses are gone, or cannot be decrypted. */
  async of(entry: RepositoryEntry): Promise<GitAccess> {
    return {
      credentials: await this.credentialsOf(entry),
      allowedHosts: [...this.config.gitAllowedHosts],
      knownHosts: this.config.gitKnownHosts,
    };
  }

  private async credentialsOf({ credentials, repoId }: RepositoryEntry): Promise<GitCredentials | undefined> {
    if (!credentials || !('credentialId' in credentials)) return credentials ?? undefined;
    const { credentialId } = credentials;
    const found = await this.stored.find(credentialId);
    if (found?.secret) return found.secret;
    const why = found ? 'can no longer be decrypted, as SECRETS_KEY has changed' : 'are gone';
    throw new Failure('CREDENTIAL_NOT_FOUND', `The stored credentials of ${repoId} ${why}.`, {
      context: { credentialId },
      suggestion: 'Give the repository other credentials by PATCH /repo/:repoId.',
    });
  }
}
