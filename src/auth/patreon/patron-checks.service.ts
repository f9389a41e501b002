import { setTimeout as delay } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import type { PatreonConfig } from '../../config/config.js';
import type { PatreonTokens, PatronRecord } from '../../registry/patron-store.js';
import { CreatorTokens } from './creator-tokens.js';
import { PatreonClient, PatreonRefusal, PatreonUnavailable } from './patreon-client.js';
import type { PatreonIdentity } from './patreon-documents.js';
import { ownerOf, Patrons } from './patrons.service.js';
import { BELIEVED_MS } from './standing.js';

/** What requests wait for a check at most, and only when nothing is known. */
const PATIENCE_MS = 2_500;
/** A token that is about to expire is not tried. */
const TOKEN_MARGIN_MS = 60_000;

/** Asks Patreon where patrons stand, never two times at once for one. */
export class PatronChecks {
  private readonly logger = new Logger('Patreon');
  private readonly running = new Map<string, Promise<void>>();
  private readonly begunAt = new Map<string, number>();

  constructor(
    private readonly config: PatreonConfig,
    private readonly client: PatreonClient,
    private readonly patrons: Patrons,
    private readonly creator: CreatorTokens,
  ) {}

  /**
   * A request of the owner is here: asks in the background where what Patreon has said is old, whatever comes of it once for
   * so long. Waits only where that is not believed any more.
   */
  async freshen(owner: string): Promise<void> {
    const record = this.patrons.find(owner);
    if (!record) return;
    const { patreonId, confirmedAt } = record;
    const now = Date.now();
    const asked = Math.max(confirmedAt, this.begunAt.get(patreonId) ?? 0);
    if (now - asked >= this.config.checkEveryMs) void this.check(patreonId);
    const check = this.running.get(patreonId);
    const waitMs = (this.begunAt.get(patreonId) ?? 0) + PATIENCE_MS - Date.now();
    if (!check || waitMs <= 0 || now - confirmedAt <= BELIEVED_MS) return;
    await Promise.race([check, delay(waitMs, undefined, { ref: false })]);
  }

  /** Never rejects: what Patreon does not say changes nothing. */
  check(patreonId: string): Promise<void> {
    const running = this.running.get(patreonId);
    if (running) return running;
    this.begunAt.set(patreonId, Date.now());
    const check = this.ask(patreonId)
      .catch((error: unknown) => this.logger.warn(`${ownerOf(patreonId)} could not be checked: ${String(error)}`))
      .finally(() => this.running.delete(patreonId));
    this.running.set(patreonId, check);
    return check;
  }

  /** Something may have changed just now: also where a check that is running was begun before. */
  async checkAnew(patreonId: string): Promise<void> {
    await this.running.get(patreonId);
    await this.check(patreonId);
  }

  private async ask(patreonId: string): Promise<void> {
    const record = this.patrons.find(ownerOf(patreonId));
    if (!record) return;
    const askedAt = Date.now();
    const identity = await this.identify(record);
    const isKnown = identity?.membership !== undefined && identity.membership !== null;
    const membership = isKnown || !this.creator.areGiven ? identity?.membership : await this.askCreator(record);
    if (membership) await this.patrons.learn(patreonId, membership, askedAt);
    else throw new PatreonUnavailable(identity ? 'Patreon names no membership' : 'they have to sign in again');
  }

  /** undefined where the patron's own tokens are not good any more. */
  private async identify(record: PatronRecord): Promise<PatreonIdentity | undefined> {
    const { tokens } = record;
    if (!tokens) return undefined;
    try {
      if (tokens.expiresAt - TOKEN_MARGIN_MS > Date.now()) return await this.client.identity(tokens.accessToken);
    } catch (error) {
      if (!(error instanceof PatreonRefusal)) throw error;
    }
    const renewed = await this.renew(record.patreonId, tokens);
    return renewed && this.client.identity(renewed.accessToken);
  }

  /** The new pair is kept before it is used: the old one is gone. */
  private async renew(patreonId: string, tokens: PatreonTokens): Promise<PatreonTokens | undefined> {
    try {
      const renewed = await this.client.refresh(tokens);
      await this.patrons.keepTokens(patreonId, tokens, renewed);
      return renewed;
    } catch (error) {
      if (!(error instanceof PatreonRefusal)) throw error;
      if (error.isFinal) await this.patrons.keepTokens(patreonId, tokens, null);
      return undefined;
    }
  }

  private askCreator({ membership }: PatronRecord) {
    return this.creator.use((accessToken) => this.client.member(membership.memberId, accessToken));
  }
}
