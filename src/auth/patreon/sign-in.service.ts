import { Inject, Injectable } from '@nestjs/common';
import { STATION_CONFIG, type StationConfig } from '../../config/config.js';
import { Failure } from '../../contracts/failure.js';
import { PERMISSIONS } from '../../contracts/permissions.js';
import type { OwnerNotice } from '../../contracts/events.js';
import { AuditTrail, type Origin } from '../audit/audit-trail.service.js';
import { ApiKeysService } from '../api-keys.service.js';
import type { GrantedPlan } from '../plans/plan.js';
import { OwnerPlans } from '../owner-plans.js';
import { PatreonClient } from './patreon-client.js';
import { PatreonRefusal, PatreonUnavailable } from './patreon-failures.js';
import { ownerOf, Patrons } from './patrons.service.js';

export interface SignedIn {
  key: string;
  owner: string;
  /** As Patreon has it. */
  name: string;
  plan: GrantedPlan | null;
  notice: OwnerNotice | undefined;
}

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
    const client = this.requireClient();
    try {
      const tokens = await client.exchange(code);
      const askedAt = Date.now();
      const identity = await client.identity(tokens.accessToken);
      const { patreonId, name } = await this.patrons.enter(identity, tokens, askedAt);
      const owner = ownerOf(patreonId);
      const { key, stored } = await this.keys.rotate(owner, { name: 'Patreon', owner, scopes: ALL_BUT_ADMIN });
      await this.audit.answered({ owner, keyId: stored.id }, origin, { action: 'sign-in' });
      return { key, owner, name, plan: this.plans.of(owner), notice: this.plans.noticeOf(owner) };
    } catch (error) {
      if (error instanceof PatreonRefusal) {
        throw new Failure('SIGN_IN_FAILED', 'Patreon does not accept the code: it has expired, or was used already.', {
          cause: error,
        });
      }
      if (error instanceof PatreonUnavailable)
        throw new Failure('PATREON_UNAVAILABLE', error.message, { cause: error });
      throw error;
    }
  }

  private requireClient(): PatreonClient {
    if (this.config.patreon && this.client) return this.client;
    throw new Failure('PATREON_NOT_CONFIGURED', 'Nobody can sign in with Patreon here.');
  }
}
