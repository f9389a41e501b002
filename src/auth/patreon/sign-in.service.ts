import { setTimeout as delay } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import { STATION_CONFIG, type StationConfig } from '../../config/config.js';
import { Failure } from '../../contracts/failure.js';
import { PERMISSIONS } from '../../contracts/permissions.js';
import type { OwnerNotice } from '../../contracts/events.js';
import type { PatronRecord } from '../../registry/patron-store.js';
import { AuditTrail, type Origin } from '../audit/audit-trail.service.js';
import { ApiKeysService } from '../api-keys.service.js';
import type { GrantedPlan } from '../plans/plan.js';
import { OwnerPlans } from '../owner-plans.js';
import { PatreonClient } from './patreon-client.js';
import { PatreonRefusal, PatreonUnavailable } from './patreon-failures.js';
import { PATIENCE_MS } from './patron-checks.service.js';
import { ownerOf, Patrons } from './patrons.service.js';

export interface SignedIn {
  key: string;
  owner: string;
  /** As Patreon has it. */
  name: string;
  plan: GrantedPlan | null;
  notice: OwnerNotice | undefined;
}

const TOO_LATE = Symbol('too late');
const ALL_BUT_ADMIN = PERMISSIONS.filter((permission) => permission !== 'admin');

/** Signs in with Patreon: who comes back from there with a code is given their key. */
@Injectable()
export class SignInService {
  constructor(
    @Inject(STATION_CONFIG) private readonly config: StationConfig,
    private readonly keys: ApiKeysService,
    private readonly patrons: Patrons,
    private readonly plans: OwnerPlans,
    private readonly audit: AuditTrail,
    @Inject(PatreonClient) private readonly client: PatreonClient | null,
  ) {}

  /** PATREON_NOT_CONFIGURED. */
  authorizeUrl(state: string): string {
    return this.requireClient().authorizeUrl(state);
  }

  /** The one key that a patron has by signing in; the one before it ends. SIGN_IN_FAILED, NOT_A_PATRON, PATREON_UNAVAILABLE. */
  async signIn(code: string, origin: Origin): Promise<SignedIn> {
    const { patreonId, name } = await inTime(this.enter(this.requireClient(), code));
    const owner = ownerOf(patreonId);
    const { key, stored } = await this.keys.rotate(owner, { name: 'Patreon', owner, scopes: ALL_BUT_ADMIN });
    await this.audit.answered({ owner, keyId: stored.id }, origin, { action: 'sign-in' });
    return { key, owner, name, plan: this.plans.of(owner), notice: this.plans.noticeOf(owner) };
  }

  /** Goes on where nobody waits any more: the tokens that a code has brought are not lost. */
  private async enter(client: PatreonClient, code: string): Promise<PatronRecord> {
    try {
      const tokens = await client.exchange(code);
      const askedAt = Date.now();
      return await this.patrons.enter(await client.identity(tokens.accessToken), tokens, askedAt);
    } catch (error) {
      throw failureOf(error);
    }
  }

  private requireClient(): PatreonClient {
    if (this.config.patreon && this.client) return this.client;
    throw new Failure('PATREON_NOT_CONFIGURED', 'Nobody can sign in with Patreon here.');
  }
}

async function inTime<T>(work: Promise<T>): Promise<T> {
  const result = await Promise.race([work, delay(PATIENCE_MS, TOO_LATE, { ref: false })]);
  if (result !== TOO_LATE) return result;
  throw new Failure('PATREON_UNAVAILABLE', 'Patreon takes too long to say who you are.');
}

function failureOf(cause: unknown): unknown {
  if (cause instanceof PatreonUnavailable) return new Failure('PATREON_UNAVAILABLE', cause.message, { cause });
  if (!(cause instanceof PatreonRefusal)) return cause;
  if (cause.isOfClient) {
    const suggestion = 'Tell the administrator: the log of the server says what to check.';
    return new Failure('PATREON_UNAVAILABLE', 'Patreon does not accept this station.', { cause, suggestion });
  }
  const message = 'Patreon does not accept the code: it has expired, or was used already.';
  return new Failure('SIGN_IN_FAILED', message, { cause });
}
