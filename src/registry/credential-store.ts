import type { GitCredentials } from '../contracts/operations.js';

/** Git credentials that an owner has stored: what is secret in them is never shown again. */
export interface StoredCredential {
  credentialId: string;
  owner: string;
  name: string;
  /** Epoch milliseconds. */
  createdAt: number;
  /** null: it was encrypted with another SECRETS_KEY, and is lost. */
  secret: GitCredentials | null;
}

/** The Git credentials of owners. A port: its token is this class. */
export abstract class CredentialStore {
  abstract insert(credential: StoredCredential): Promise<void>;
  abstract find(credentialId: string): Promise<StoredCredential | undefined>;
  abstract listOf(owner: string): Promise<StoredCredential[]>;
  /** False when there was none. */
  abstract remove(credentialId: string): Promise<boolean>;
}
