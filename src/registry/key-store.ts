import type { Permission } from '../contracts/permissions.js';

/** An API key as it is kept: never the key, only its digest. */
export interface StoredKey {
  id: string;
  name: string;
  owner: string;
  admin: boolean;
  scopes: Permission[];
  /** The first characters of the key, for people to tell keys apart. */
  prefix: string;
  /** SHA-256 of the key, hex. */
  digest: string;
  createdAt: number;
  expiresAt: number | null;
  lastUsedAt: number | null;
}

/** Which API keys there are. A port: its token is this class. */
export abstract class KeyStore {
  abstract insert(key: StoredKey): Promise<void>;
  /** In place of the key of that id, where there is one. */
  abstract replace(key: StoredKey): Promise<void>;
  abstract findByDigest(digest: string): Promise<StoredKey | undefined>;
  /** The oldest first, as in `listOf`. */
  abstract list(): Promise<StoredKey[]>;
  abstract listOf(owner: string): Promise<StoredKey[]>;
  /** Each once. */
  abstract owners(): Promise<string[]>;
  /** False when there was none. */
  abstract remove(id: string): Promise<boolean>;
  abstract touch(id: string, lastUsedAt: number): Promise<void>;
}
