import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { STATION_CONFIG, type StationConfig } from '../config/config.js';
import { Failure } from '../contracts/failure.js';
import { KeyStore, type StoredKey } from '../registry/key-store.js';
import { ApiKeysService, digestOf } from './api-keys.service.js';
import type { Principal } from './principal.js';

const ADMIN_OWNER = 'admin';
/** The key of ADMIN_API_KEY always has this id, so that a changed variable replaces the old key. */
const ENVIRONMENT_KEY_ID = 'environment';

/** Sees to it that somebody can administer the station. */
@Injectable()
export class AdminKeyService {
  private readonly file: string;

  constructor(
    @Inject(STATION_CONFIG) private readonly config: StationConfig,
    private readonly keys: ApiKeysService,
    private readonly store: KeyStore,
  ) {
    this.file = join(config.dataDir, 'admin-api-key');
  }

  /** Called once at start. Resolves to the key when one was made just now, to be shown this once. */
  async ensure(): Promise<string | undefined> {
    await this.syncEnvironmentKey();
    if ((await this.store.list()).some(canAdminister)) return undefined;
    const kept = this.readFile();
    const key = kept ?? `dock_${randomBytes(32).toString('base64url')}`;
    // The file first: a crash in between leaves a key that the next start enters.
    if (kept === undefined) writeFileSync(this.file, `${key}\n`, { mode: 0o600 });
    await this.keys.enter(key, { name: 'administrator', owner: ADMIN_OWNER, admin: true });
    return kept === undefined ? key : undefined;
  }

  /** Revokes any key. That of the file loses its file too, or a later start would enter it again. */
  async revoke(id: string, caller: Principal): Promise<StoredKey> {
    if (id === ENVIRONMENT_KEY_ID && caller.permissions.includes('admin')) {
      throw new Failure('FORBIDDEN', 'This key is the ADMIN_API_KEY of the environment.', {
        suggestion: 'Change or remove ADMIN_API_KEY and restart the station.',
      });
    }
    const revoked = await this.keys.revoke(id, caller);
    const kept = this.readFile();
    if (kept !== undefined && digestOf(kept) === revoked.digest) rmSync(this.file, { force: true });
    return revoked;
  }

  private async syncEnvironmentKey(): Promise<void> {
    const key = this.config.adminApiKey;
    const known = (await this.store.list()).find(({ id }) => id === ENVIRONMENT_KEY_ID);
    if (known && known.digest !== (key && digestOf(key))) await this.store.remove(known.id);
    else if (known) return;
    if (key === undefined) return;
    // The same key may have been made by an earlier start without the variable.
    const twin = await this.store.findByDigest(digestOf(key));
    if (twin) await this.store.remove(twin.id);
    await this.keys.enter(key, { name: 'ADMIN_API_KEY', owner: ADMIN_OWNER, admin: true }, ENVIRONMENT_KEY_ID);
  }

  private readFile(): string | undefined {
    try {
      return readFileSync(this.file, 'utf8').trim() || undefined;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw new Error(`The administrator's key cannot be read from ${this.file}`, { cause: error });
    }
  }
}

const canAdminister = ({ scopes, expiresAt }: StoredKey): boolean =>
  scopes.includes('admin') && (expiresAt === null || expiresAt > Date.now());
