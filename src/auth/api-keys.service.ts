import { createHash, randomBytes, randomUUID, timingSafeEqual } from 'node:crypto';
import { Inject, Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { KeyedMutex } from '../common/keyed-mutex.js';
import { Failure } from '../contracts/failure.js';
import { EventBus } from '../events/event-bus.js';
import { KeyStore, type StoredKey } from '../registry/key-store.js';
import { PERMISSIONS, type Permission } from '../contracts/permissions.js';
import { PatronChecks } from './patreon/patron-checks.service.js';
import { OwnerPlans } from './owner-plans.js';
import { STATION_OWNER, type Principal } from './principal.js';

interface KeyOptions {
  name: string;
  owner?: string;
  admin?: boolean;
  /** Default: all permissions, `keys` and `admin` only for an administrator's key. */
  scopes?: Permission[];
  /** Epoch milliseconds; the key never expires without it. */
  expiresAt?: number;
}

type NewKey = KeyOptions & { owner: string };

const TOUCH_INTERVAL_MS = 60_000;
const MAX_KEY_CHARS = 512;
const PREFIX_CHARS = 10;
/** No more than one character in four is shown: a key that was chosen by hand may be short. */
const SHOWN_PART = 4;
/** Permissions that a key gets only when they are asked for. */
const FOR_WHO_ASKS = new Set<Permission>(['keys', 'admin']);
/** setTimeout takes no more; a longer time is waited for in parts. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Makes, checks and ends API keys. A key itself is told once, when it is made; only its digest is kept. */
@Injectable()
export class ApiKeysService implements OnApplicationShutdown {
  private readonly logger = new Logger('Auth');
  private readonly touched = new Map<string, number>();
  private readonly mutex = new KeyedMutex();
  private readonly expiries = new Map<string, NodeJS.Timeout>();

  constructor(
    private readonly store: KeyStore,
    private readonly plans: OwnerPlans,
    private readonly events: EventBus,
    @Inject(PatronChecks) private readonly checks: PatronChecks | null,
  ) {}

  onApplicationShutdown(): void {
    for (const timer of this.expiries.values()) clearTimeout(timer);
  }

  /** A key of the caller's own, or, for an administrator, anybody's. FORBIDDEN, PLAN_LAPSED, PLAN_LIMIT. */
  async create(given: KeyOptions, caller: Principal): Promise<{ key: string; stored: StoredKey }> {
    // One at a time for each owner: two must not both find a plan's last place free.
    return this.mutex.runExclusive(caller.owner, () => this.createInTurn(given, caller));
  }

  private async createInTurn(given: KeyOptions, caller: Principal): Promise<{ key: string; stored: StoredKey }> {
    const wanted = isUnrestricted(caller) ? given : await this.furtherKey(given, caller);
    const { name, admin, scopes, expiresAt, owner = caller.owner } = wanted;
    if (wanted.owner === STATION_OWNER) {
      throw new Failure('BAD_REQUEST', `owner: "${STATION_OWNER}" stands for the station itself, choose another name`);
    }
    if (scopes?.length === 0)
      throw new Failure('BAD_REQUEST', 'scopes: expected at least one; a key without any is good for nothing');
    if (scopes?.includes('admin') && !admin) {
      throw new Failure('BAD_REQUEST', 'scopes: "admin" is for keys with admin: true only');
    }
    if (expiresAt !== undefined && expiresAt <= Date.now()) {
      throw new Failure('BAD_REQUEST', `expiresAt: expected a time in the future, got ${expiresAt}`);
    }
    const key = newKey();
    return { key, stored: await this.enter(key, { name, owner, admin, scopes, expiresAt }) };
  }

  /** Makes the key of this id, or makes it anew: the one before it ends. */
  async rotate(id: string, wanted: NewKey): Promise<{ key: string; stored: StoredKey }> {
    const key = newKey();
    const stored = storedKey(key, wanted, id);
    await this.store.replace(stored);
    this.end(id);
    return { key, stored };
  }

  /** Keeps a key that exists already. */
  async enter(key: string, wanted: NewKey, id: string = randomUUID()): Promise<StoredKey> {
    const stored = storedKey(key, wanted, id);
    await this.store.insert(stored);
    return stored;
  }

  /** Who the key speaks for. Rejects with UNAUTHORIZED: not to be told apart why. */
  async authenticate(key: string | undefined): Promise<Principal> {
    const stored = key === undefined || key.length > MAX_KEY_CHARS ? undefined : await this.find(key);
    if (!isValid(stored)) {
      throw new Failure('UNAUTHORIZED', key === undefined ? 'No API key was sent.' : 'The API key is not valid.');
    }
    this.touch(stored);
    this.watchExpiry(stored);
    await this.checks?.freshen(stored.owner);
    return principalOf(stored, this.plans);
  }

  /** For callers who are known already: their key may have ended since (UNAUTHORIZED), and what their plan says be old. */
  async confirm(known: Principal): Promise<Principal> {
    if (await this.hasEnded(known)) throw new Failure('UNAUTHORIZED', 'The API key is not valid any more.');
    await this.checks?.freshen(known.owner);
    return known;
  }

  /** For whoever goes by `key-ended`, to ask once they have begun to listen: it may have ended just before. */
  async hasEnded({ keyDigest }: Principal): Promise<boolean> {
    return !isValid(await this.store.findByDigest(keyDigest));
  }

  /** The caller's own, or, for an administrator, everybody's. */
  async list(caller: Principal): Promise<StoredKey[]> {
    if (isUnrestricted(caller)) return this.store.list();
    return (await this.store.listOf(caller.owner)).filter((key) => !key.admin);
  }

  /** Ends a key at once: requests with it are refused from now on, its sockets are closed. */
  async revoke(id: string, caller: Principal): Promise<StoredKey> {
    const stored = (await this.list(caller)).find((key) => key.id === id);
    if (!stored || !(await this.store.remove(id))) throw new Failure('KEY_NOT_FOUND', 'There is no key with this id.');
    this.end(id);
    return stored;
  }

  /** May do what the key that makes it may do, but make keys, and lives no longer. */
  private async furtherKey(wanted: KeyOptions, caller: Principal): Promise<KeyOptions> {
    const { owner, plan, keyId } = caller;
    if (wanted.admin === true || (wanted.owner ?? owner) !== owner) {
      throw new Failure('FORBIDDEN', 'Only an administrator makes keys of others, or of administrators.');
    }
    plan?.requireActive();
    const own = await this.store.listOf(owner);
    const maker = own.find(({ id }) => id === keyId);
    // Its scopes, not what the plan leaves of them now: the further key, too, may do more when the plan does.
    const grantable: Permission[] = (maker?.scopes ?? caller.permissions).filter((scope) => scope !== 'keys');
    const beyond = wanted.scopes?.find((scope) => !grantable.includes(scope));
    if (beyond) {
      throw new Failure('FORBIDDEN', `scopes: this key may not give "${beyond}" away`, {
        context: { scopes: grantable },
      });
    }
    plan?.requireRoomFor('keys', own.filter(({ scopes }) => !scopes.includes('keys')).length);
    const expiresAt = maker?.expiresAt ?? Infinity;
    if ((wanted.expiresAt ?? 0) > expiresAt) {
      throw new Failure('FORBIDDEN', `expiresAt: the key that makes it expires at ${expiresAt}`);
    }
    const ends = Math.min(wanted.expiresAt ?? Infinity, expiresAt);
    return { ...wanted, owner, scopes: wanted.scopes ?? grantable, ...(ends !== Infinity && { expiresAt: ends }) };
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
function principalOf({ id, digest, owner, admin, scopes }: StoredKey, plans: OwnerPlans): Principal {
  return {
    keyId: id,
    keyDigest: digest,
    owner,
    admin,
    get plan() {
      return admin ? null : plans.of(owner);
    },
    get permissions() {
      const { plan } = this;
      return plan ? scopes.filter((scope) => plan.permissions.includes(scope)) : scopes;
    },
  };
}

/** An administrator's key may have been narrowed by its scopes: it must not give away, nor take, what it may not do itself. */
const isUnrestricted = ({ permissions }: Principal): boolean => permissions.includes('admin');

const newKey = (): string => `dock_${randomBytes(32).toString('base64url')}`;

function storedKey(key: string, { name, owner, admin = false, scopes, expiresAt }: NewKey, id: string): StoredKey {
  return {
    id,
    name,
    owner,
    admin,
    expiresAt: expiresAt ?? null,
    scopes: scopes ?? PERMISSIONS.filter((permission) => admin || !FOR_WHO_ASKS.has(permission)),
    prefix: key.slice(0, Math.min(PREFIX_CHARS, key.length / SHOWN_PART)),
    digest: digestOf(key),
    createdAt: Date.now(),
    lastUsedAt: null,
  };
}

const isValid = (key: StoredKey | undefined): key is StoredKey =>
  key !== undefined && (key.expiresAt === null || key.expiresAt > Date.now());

/** A key has 256 bits of entropy, so a plain SHA-256 suffices: there is nothing to guess. */
export const digestOf = (key: string): string => createHash('sha256').update(key).digest('hex');
