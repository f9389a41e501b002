import { createHash, randomBytes, randomUUID, timingSafeEqual } from 'node:crypto';
import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { Failure } from '../contracts/failure.js';
import { EventBus } from '../events/event-bus.js';
import { KeyStore, type StoredKey } from '../registry/key-store.js';
import { PERMISSIONS, type Permission } from '../contracts/permissions.js';
import { OwnerPlans } from './plans/owner-plans.js';
import { STATION_OWNER, type Principal } from './principal.js';

interface KeyOptions {
  name: string;
  owner?: string;
  admin?: boolean;
  /** Default: all permissions, `admin` only for an administrator's key. */
  scopes?: Permission[];
  /** Epoch milliseconds; the key never expires without it. */
  expiresAt?: number;
}

type NewKey = KeyOptions & { owner: string };

const TOUCH_INTERVAL_MS = 60_000;
const MAX_KEY_CHARS = 512;
const PREFIX_CHARS = 10;
/** One in so many characters, of a key that somebody has thought of: it may be a short one. */
const SHOWN_PART = 4;
/** setTimeout takes no more; a longer time is waited for in parts. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Makes, checks and ends API keys. A key itself is told once, when it is made; only its digest is kept. */
@Injectable()
export class ApiKeysService implements OnApplicationShutdown {
  private readonly logger = new Logger('Auth');
  private readonly touched = new Map<string, number>();
  private readonly expiries = new Map<string, NodeJS.Timeout>();

  constructor(
    private readonly store: KeyStore,
    private readonly plans: OwnerPlans,
    private readonly events: EventBus,
  ) {}

  onApplicationShutdown(): void {
    for (const timer of this.expiries.values()) clearTimeout(timer);
  }

  /** `owner` is whose key it is where the caller names nobody. */
  async create(wanted: KeyOptions, owner: string): Promise<{ key: string; stored: StoredKey }> {
    const { name, admin, scopes, expiresAt } = wanted;
    if (wanted.owner === STATION_OWNER) {
      throw new Failure('BAD_REQUEST', `owner: "${STATION_OWNER}" stands for the station itself, choose another name`);
    }
    if (scopes?.includes('admin') && !admin) {
      throw new Failure('BAD_REQUEST', 'scopes: "admin" is for keys with admin: true only');
    }
    if (expiresAt !== undefined && expiresAt <= Date.now()) {
      throw new Failure('BAD_REQUEST', `expiresAt: expected a time in the future, got ${expiresAt}`);
    }
    const key = `dock_${randomBytes(32).toString('base64url')}`;
    return { key, stored: await this.enter(key, { name, owner: wanted.owner ?? owner, admin, scopes, expiresAt }) };
  }

  /** Keeps a key that exists already. */
  async enter(key: string, wanted: NewKey, id: string = randomUUID()): Promise<StoredKey> {
    const admin = wanted.admin ?? false;
    const stored: StoredKey = {
      id,
      name: wanted.name,
      owner: wanted.owner,
      admin,
      scopes: wanted.scopes ?? PERMISSIONS.filter((permission) => admin || permission !== 'admin'),
      prefix: key.slice(0, Math.min(PREFIX_CHARS, key.length / SHOWN_PART)),
      digest: digestOf(key),
      createdAt: Date.now(),
      expiresAt: wanted.expiresAt ?? null,
      lastUsedAt: null,
    };
    await this.store.insert(stored);
    return stored;
  }

  /** Who the key speaks for. Rejects with UNAUTHORIZED: not to be told apart why. */
  async authenticate(key: string | undefined): Promise<Principal> {
    const stored = key === undefined || key.length > MAX_KEY_CHARS ? undefined : await this.find(key);
    if (!stored || isExpired(stored)) {
      throw new Failure('UNAUTHORIZED', key === undefined ? 'No API key was sent.' : 'The API key is not valid.');
    }
    this.touch(stored);
    this.watchExpiry(stored);
    return principalOf(stored, this.plans);
  }

  list(): Promise<StoredKey[]> {
    return this.store.list();
  }

  /** Ends a key at once: requests with it are refused from now on, its sockets are closed. */
  async revoke(id: string): Promise<StoredKey> {
    const stored = (await this.store.list()).find((key) => key.id === id);
    if (!stored || !(await this.store.remove(id))) throw new Failure('KEY_NOT_FOUND', 'There is no key with this id.');
    this.end(id);
    return stored;
  }

  private async find(key: string): Promise<StoredKey | undefined> {
    const digest = digestOf(key);
    const stored = await this.store.findByDigest(digest);
    return stored && timingSafeEqual(Buffer.from(stored.digest), Buffer.from(digest)) ? stored : undefined;
  }

  /** At most once a minute for a key: a use is worth knowing, but not a write per request. */
  private touch({ id }: StoredKey): void {
    const now = Date.now();
    if (now - (this.touched.get(id) ?? 0) < TOUCH_INTERVAL_MS) return;
    this.touched.set(id, now);
    this.store
      .touch(id, now)
      .catch((error: unknown) => this.logger.warn(`The use of a key was not kept: ${String(error)}`));
  }

  private watchExpiry({ id, expiresAt }: StoredKey): void {
    if (expiresAt === null || this.expiries.has(id)) return;
    const wait = () => {
      const left = expiresAt - Date.now();
      if (left <= 0) return this.end(id);
      this.expiries.set(id, setTimeout(wait, Math.min(left, MAX_TIMER_MS)).unref());
    };
    wait();
  }

  private end(id: string): void {
    clearTimeout(this.expiries.get(id));
    this.expiries.delete(id);
    this.touched.delete(id);
    this.events.publish('key-ended', { keyId: id });
  }
}

/** A socket keeps it for as long as it is connected: what the plan says is looked up each time. */
function principalOf({ id, owner, admin, scopes }: StoredKey, plans: OwnerPlans): Principal {
  return {
    ...{ keyId: id, owner, admin },
    get plan() {
      return admin ? null : plans.of(owner);
    },
    get permissions() {
      const { plan } = this;
      return plan ? scopes.filter((scope) => plan.permissions.includes(scope)) : scopes;
    },
  };
}

const isExpired = (key: StoredKey): boolean => key.expiresAt !== null && key.expiresAt <= Date.now();

/** A key has 256 bits of chance, so a plain digest is as good as a slow one: there is nothing to guess. */
export const digestOf = (key: string): string => createHash('sha256').update(key).digest('hex');
