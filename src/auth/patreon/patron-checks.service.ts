import { setTimeout as delay } from 'node:timers/promises';
import { Logger, type OnApplicationShutdown } from '@nestjs/common';
import type { PatreonConfig } from '../../config/config.js';
import type { Membership, PatreonTokens, PatronRecord } from '../../registry/patron-store.js';
import { CreatorTokens } from './creator-tokens.js';
import { PatreonClient } from './patreon-client.js';
import { PatreonRefusal, PatreonUnavailable } from './patreon-failures.js';
import { PatronRetries } from './patron-retries.js';
import { ownerOf, Patrons } from './patrons.service.js';
import { BELIEVED_MS } from './standing.js';

/** What requests wait for Patreon at most. */
export const PATIENCE_MS = 2_500;
/** A token that is about to expire is not tried. */
const TOKEN_MARGIN_MS = 60_000;
/** That there is no membership is believed where Patreon still says so after this time. */
const DENIAL_MS = 60 * 60 * 1000;

/** `none`: Patreon says that there is no membership. `unclear`: it leaves that out. `unasked`: there is no good token. */
type View = Membership | 'none' | 'unclear' | 'unasked';

/** `untold`: Patreon does not say where somebody stands, and will not in a moment. `unavailable`: it may. */
type Outcome = 'told' | 'untold' | 'unavailable';

/** Asks Patreon where patrons stand, never two times at once for one. */
export class PatronChecks implements OnApplicationShutdown {
  private readonly logger = new Logger('Patreon');
  private readonly running = new Map<string, Promise<Outcome>>();
  private readonly begunAt = new Map<string, number>();
  /** Since when Patreon has said of somebody that there is no membership. */
  private readonly deniedSince = new Map<string, number>();
  private readonly retries = new PatronRetries();

  constructor(
    private readonly config: PatreonConfig,
    private readonly client: PatreonClient,
    private readonly patrons: Patrons,
    private readonly creator: CreatorTokens,
  ) {}

  onApplicationShutdown(): void {
    this.retries.end();
  }

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
    if (this.isOld(asked)) void this.check(patreonId);
    const check = this.running.get(patreonId);
    const waitMs = (this.begunAt.get(patreonId) ?? 0) + PATIENCE_MS - Date.now();
    if (!check || waitMs <= 0 || now - confirmedAt <= BELIEVED_MS) return;
    await Promise.race([check, delay(waitMs, undefined, { ref: false })]);
  }

  /** Whether what Patreon has said at that time is to be asked again. */
  isOld(confirmedAt: number): boolean {
    return Date.now() - confirmedAt >= this.config.checkEveryMs;
  }

  /** Never rejects: what Patreon does not say changes nothing. */
  check(patreonId: string): Promise<Outcome> {
    const running = this.running.get(patreonId);
    if (running) return running;
    this.begunAt.set(patreonId, Date.now());
    const check = this.ask(patreonId)
      .catch((error: unknown) => this.failed(patreonId, error))
      .finally(() => this.running.delete(patreonId));
    this.running.set(patreonId, check);
    return check;
  }

  /** Something may have changed just now: also where a check that is running was begun before. */
  async checkAnew(patreonId: string): Promise<Outcome> {
    await this.running.get(patreonId);
    return this.check(patreonId);
  }

  /**
   * An event has told of a change, which Patreon is then asked about, again and again while it is not available. Where it
   * cannot be asked, what the event says may take away. Never rejects.
   */
  async heed(patreonId: string, said: Membership | undefined): Promise<void> {
    if (this.patrons.find(ownerOf(patreonId))) await this.follow(patreonId, said, Date.now(), 0);
  }

  private async follow(patreonId: string, said: Membership | undefined, toldAt: number, attempt: number) {
    const outcome = await this.checkAnew(patreonId);
    if (outcome === 'unavailable') {
      const again = () => this.follow(patreonId, said, toldAt, attempt + 1);
      this.retries.after(attempt, this.client.quietMs, patreonId, again);
    }
    if (outcome === 'untold' && said) {
      await this.patrons.lower(patreonId, said, toldAt).catch((error: unknown) => this.failed(patreonId, error));
    }
  }

  private failed(patreonId: string, error: unknown): 'unavailable' {
    this.logger.warn(`${ownerOf(patreonId)} could not be checked: ${String(error)}`);
    return 'unavailable';
  }

  private async ask(patreonId: string): Promise<Outcome> {
    const record = this.patrons.find(ownerOf(patreonId));
    if (!record) return 'untold';
    const askedAt = Date.now();
    const own = await this.askThemselves(record);
    const views = typeof own === 'object' ? [own] : [own, await this.askCreator(record)];
    const membership = views.find((view) => typeof view === 'object');
    if (!membership && views.includes('unclear')) throw new PatreonUnavailable('Patreon names no membership');
    const said = membership ?? (this.isDenied(record, views, askedAt) ? gone(record.membership) : undefined);
    if (said === undefined) return 'untold';
    this.deniedSince.delete(patreonId);
    await this.patrons.learn(patreonId, said, askedAt);
    return 'told';
  }

  /**
   * Both have to say that there is no membership; where one alone can be asked, it has to say so again some time later, or
   * nothing new by it.
   */
  private isDenied({ patreonId, confirmedAt, membership }: PatronRecord, views: View[], askedAt: number): boolean {
    const denials = views.filter((view) => view === 'none').length;
    if (denials === 0) {
      this.logger.warn(`${ownerOf(patreonId)} could not be checked: they have to sign in again`);
      return false;
    }
    const before = this.deniedSince.get(patreonId) ?? 0;
    const since = before > confirmedAt ? before : askedAt;
    const isNothingNew = membership.patronStatus === 'former_patron';
    if (denials === views.length || isNothingNew || askedAt - since >= DENIAL_MS) return true;
    this.deniedSince.set(patreonId, since);
    this.retries.set(patreonId, DENIAL_MS, () => this.check(patreonId));
    return false;
  }

  /** With the tokens of the patron. */
  private async askThemselves({ patreonId, tokens }: PatronRecord): Promise<View> {
    const identity = tokens && (await this.identify(patreonId, tokens));
    if (!identity) return 'unasked';
    if (identity.patreonId !== patreonId) throw new PatreonUnavailable('Patreon speaks of somebody else');
    return identity.membership === null ? 'none' : (identity.membership ?? 'unclear');
  }

  /** undefined where the tokens are not good any more. */
  private async identify(patreonId: string, tokens: PatreonTokens) {
    try {
      if (tokens.expiresAt - TOKEN_MARGIN_MS > Date.now()) return await this.client.identity(tokens.accessToken);
    } catch (error) {
      if (!(error instanceof PatreonRefusal)) throw error;
    }
    const renewed = await this.renew(patreonId, tokens);
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

  private async askCreator({ patreonId, membership }: PatronRecord): Promise<View> {
    if (!this.creator.areGiven) return 'unasked';
    try {
      const member = await this.creator.use((accessToken) => this.client.member(membership.memberId, accessToken));
      if (member === null) return 'none';
      return (member?.patreonId === patreonId ? member.membership : undefined) ?? 'unclear';
    } catch (error) {
      if (error instanceof PatreonRefusal) return 'unasked';
      throw error;
    }
  }
}

const gone = (membership: Membership): Membership => ({ ...membership, patronStatus: 'former_patron', tierIds: [] });
