import { Logger, type OnApplicationShutdown } from '@nestjs/common';
import { publicUrlOf, type StationConfig } from '../../config/config.js';
import { Failure } from '../../contracts/failure.js';
import type { OwnerNotice } from '../../contracts/events.js';
import { EventBus } from '../../events/event-bus.js';
import {
  PatronStore,
  type Membership,
  type PatreonTokens,
  type PatronRecord,
  type Standing,
} from '../../registry/patron-store.js';
import type { GrantedPlan, Lapse } from '../plans/plan.js';
import { PlansService } from '../plans/plans.service.js';
import { claimOf, type Claim } from './membership.js';
import { noticeOf, WHY_NOT } from './notices.js';
import type { PatreonIdentity } from './patreon-documents.js';
import { appsStopAt, firstStanding, nextDeadline, nextStanding, unloadAt, type StandingRules } from './standing.js';

const DAY_MS = 24 * 60 * 60 * 1000;
/** setTimeout takes no more; a longer time is waited for in parts. */
const MAX_TIMER_MS = 2 ** 31 - 1;
/** The last notice comes so long before repositories are unloaded, or a tenth of the time for which they are kept. */
const LAST_NOTICE_MS = 3 * DAY_MS;
/** Before something of an owner is stopped or removed, Patreon was asked within so long. */
export const FRESH_MS = 60 * 60 * 1000;
const PREFIX = 'patreon:';

export const ownerOf = (patreonId: string): string => `${PREFIX}${patreonId}`;

/** `nothing`: everything of theirs may run. `later`: what follows was announced, and its time has not come. */
export type Due = 'nothing' | 'later' | 'stop-beyond-plan' | 'stop-all' | 'unload-all';

/**
 * Who has signed in with Patreon, where they stand, and what follows from that for their plan. In memory as well: every
 * request asks. What Patreon has said last is believed until it says something else, for three days at most.
 */
export class Patrons implements OnApplicationShutdown {
  private readonly logger = new Logger('Patreon');
  /** What could not be written, as on a full disk, is written with the next change. */
  private readonly unsaved = new Set<string>();
  private readonly rules: StandingRules;
  private timer: NodeJS.Timeout | undefined;
  private planning: NodeJS.Immediate | undefined;
  private readonly unsubscribe: () => void;

  private constructor(
    private readonly config: StationConfig,
    private readonly store: PatronStore,
    private readonly plans: PlansService,
    private readonly events: EventBus,
    private readonly records: Map<string, PatronRecord>,
  ) {
    const { graceMs = 0, retentionMs = 0 } = config.patreon ?? {};
    this.rules = { graceMs, retentionMs, rankOf: (plan) => plans.rankOf(plan) };
    this.unsubscribe = events.subscribe('plans-changed', () => this.tick());
  }

  static async load(
    config: StationConfig,
    store: PatronStore,
    plans: PlansService,
    events: EventBus,
  ): Promise<Patrons> {
    const records = (await store.list()).map((record) => [record.patreonId, record] as const);
    return new Patrons(config, store, plans, events, new Map(records));
  }

  onApplicationShutdown(): void {
    clearTimeout(this.timer);
    clearImmediate(this.planning);
    this.unsubscribe();
  }

  list(): PatronRecord[] {
    return [...this.records.values()];
  }

  /** undefined: the owner is no patron. */
  find(owner: string): PatronRecord | undefined {
    return owner.startsWith(PREFIX) ? this.records.get(owner.slice(PREFIX.length)) : undefined;
  }

  /** undefined: the owner is no patron. */
  planOf(owner: string): GrantedPlan | undefined {
    const record = this.find(owner);
    if (!record) return undefined;
    const standing = this.standingOf(record);
    return this.plans.granted(standing.plan, standing.phase === 'lapsed' ? this.lapseOf(owner) : undefined);
  }

  noticeOf(owner: string): OwnerNotice | undefined {
    const record = this.find(owner);
    if (!record) return undefined;
    const standing = this.standingOf(record);
    const said = noticeOf(standing, this.rules, this.comeBack());
    return said && { time: standing.noticeSince ?? standing.reducedSince ?? 0, owner, plan: standing.plan, ...said };
  }

  /** What is due for the owner now, by what Patreon has said last; undefined: nothing is known of them. */
  dueOf(owner: string): Due | undefined {
    const record = this.find(owner);
    if (!record || !this.config.patreon) return undefined;
    const now = Date.now();
    const standing = this.standingOf(record);
    const isOver = (time: number | null) => time !== null && now >= time;
    const isLapsed = standing.phase === 'lapsed';
    if (!isLapsed && standing.reducedSince === null) return 'nothing';
    if (!isOver(appsStopAt(standing, this.rules))) return 'later';
    if (!isLapsed) return 'stop-beyond-plan';
    // Nothing is removed by what was said long ago, nor before the last notice has had its time.
    const isConfirmed = standing.why !== 'unconfirmed' && now - record.confirmedAt < FRESH_MS;
    const isTold = record.unloadAnnouncedAt !== null && now >= record.unloadAnnouncedAt + this.lastNoticeMs * 0.9;
    return isOver(unloadAt(standing, this.rules)) && isConfirmed && isTold ? 'unload-all' : 'stop-all';
  }

  /** Somebody has come from Patreon. NOT_A_PATRON, PATREON_UNAVAILABLE; somebody who is known is never refused. */
  async enter({ patreonId, name, membership }: PatreonIdentity, tokens: PatreonTokens): Promise<PatronRecord> {
    const known = this.records.get(patreonId);
    const now = Date.now();
    if (known) {
      const facts = membership ? { membership, confirmedAt: now } : {};
      return this.change({ ...known, name, tokens, ...facts });
    }
    if (membership === undefined)
      throw new Failure('PATREON_UNAVAILABLE', 'Patreon does not say what the membership is.');
    if (membership === null) throw this.notAPatron('there is no membership');
    const claim = this.claimOf(membership);
    const standing = firstStanding(claim, now, this.rules.graceMs, membership.lastChargeAt);
    if (!standing) throw this.notAPatron(WHY_NOT[claim.kind === 'none' ? claim.why : 'declined']);
    const isUnmapped = claim.kind === 'entitled' && claim.isUnmapped;
    const seen = { membership, confirmedAt: now, standing, isUnmapped, unloadAnnouncedAt: null };
    return this.change({ patreonId, name, tokens, ...seen });
  }

  /** Patreon was asked at that time and has said something of somebody, who may have never been here. */
  async learn(patreonId: string, membership: Membership, askedAt: number): Promise<void> {
    const known = this.records.get(patreonId);
    if (known && known.confirmedAt <= askedAt) await this.change({ ...known, membership, confirmedAt: askedAt });
  }

  /** An administrator has changed what the owner may do. */
  grantHasChanged(owner: string): void {
    if (this.find(owner)) this.events.publish('standing-due', { owner });
  }

  /** The patron's tokens were renewed, or (null) are not good any more; unless a sign-in has brought others meanwhile. */
  async keepTokens(patreonId: string, old: PatreonTokens, tokens: PatreonTokens | null): Promise<void> {
    const record = this.records.get(patreonId);
    if (record?.tokens?.refreshToken === old.refreshToken) await this.change({ ...record, tokens });
  }

  /** What ran beyond a reduced plan was stopped. */
  async reductionIsDone(owner: string): Promise<void> {
    const record = this.find(owner);
    if (record) await this.change({ ...record, standing: { ...record.standing, reducedSince: null } });
  }

  /** Time has passed: tells everybody for whom that changes something. */
  tick(): void {
    for (const record of this.records.values()) {
      void this.change(record).catch((error: unknown) => this.logger.error(error));
    }
  }

  /** Keeps what has become of somebody, and tells what is new about where they stand. */
  private async change(record: PatronRecord): Promise<PatronRecord> {
    const before = this.records.get(record.patreonId);
    const claim = this.claimOf(record.membership);
    const now = Date.now();
    const standing = this.config.patreon
      ? nextStanding(record.standing, claim, { now, ...record }, this.rules)
      : record.standing;
    const isUnmapped = claim.kind === 'entitled' && claim.isUnmapped;
    const goneAt = unloadAt(standing, this.rules);
    const isAnnounced = goneAt !== null && now >= goneAt - this.lastNoticeMs;
    const unloadAnnouncedAt = isAnnounced ? (record.unloadAnnouncedAt ?? now) : null;
    const after = { ...record, standing, isUnmapped, unloadAnnouncedAt };
    this.records.set(record.patreonId, after);
    this.planNext();
    this.tell(before, after);
    if (!before || !isSame(before, after) || this.unsaved.has(record.patreonId)) await this.save(after);
    return after;
  }

  private async save(record: PatronRecord): Promise<void> {
    this.unsaved.add(record.patreonId);
    await this.store.save(record);
    this.unsaved.delete(record.patreonId);
  }

  private tell(before: PatronRecord | undefined, after: PatronRecord): void {
    const owner = ownerOf(after.patreonId);
    if (after.isUnmapped && !before?.isUnmapped) {
      const tiers = after.membership.tierIds.join(', ') || 'none';
      this.logger.warn(`${owner} has a tier that no plan names (${tiers}), and so the cheapest plan`);
    }
    const { phase, reducedSince, noticeSince } = after.standing;
    const isNews =
      !before ||
      before.standing.phase !== phase ||
      before.standing.reducedSince !== reducedSince ||
      before.standing.plan !== after.standing.plan;
    const isLastNotice = after.unloadAnnouncedAt !== null && !before?.unloadAnnouncedAt;
    if (isNews || isLastNotice) {
      const payload = this.noticeOf(owner) ?? this.restored(owner, before, after);
      if (payload) {
        this.logger.log(`${owner}: ${payload.code}, plan ${payload.plan}`);
        this.events.publish('notice', { owner, payload: { ...payload, time: Date.now() } });
      }
    }
    if (isNews || noticeSince !== null || reducedSince !== null) this.events.publish('standing-due', { owner });
  }

  private restored(
    owner: string,
    before: PatronRecord | undefined,
    { standing }: PatronRecord,
  ): OwnerNotice | undefined {
    if (!before || before.standing.phase === 'active') return undefined;
    const message = 'The membership is as it should be again, and so is the plan.';
    return { time: 0, owner, plan: standing.plan, code: 'PLAN_RESTORED', message, appsStopAt: null, unloadAt: null };
  }

  private claimOf(membership: Membership): Claim {
    const { countsGifted = false, countsTrial = false } = this.config.patreon ?? {};
    return claimOf(membership, { countsGifted, countsTrial }, this.plans.all());
  }

  /** As it is at this moment: what is kept may be some moments old. Where Patreon is not set up any more, it confirms nobody. */
  private standingOf({ standing, membership, confirmedAt }: PatronRecord): Standing {
    if (!this.config.patreon) return { ...standing, phase: 'lapsed', why: 'unconfirmed' };
    return nextStanding(standing, this.claimOf(membership), { now: Date.now(), confirmedAt }, this.rules);
  }

  /** How long before repositories are unloaded their owner is told once more. */
  private get lastNoticeMs(): number {
    return Math.min(LAST_NOTICE_MS, this.rules.retentionMs / 10);
  }

  /** Once for however many have changed. */
  private planNext(): void {
    this.planning ??= setImmediate(() => {
      this.planning = undefined;
      this.setTimer();
    });
  }

  private setTimer(): void {
    clearTimeout(this.timer);
    const now = Date.now();
    const times = this.list().flatMap(({ standing, confirmedAt, unloadAnnouncedAt }) => {
      const goneAt = unloadAt(standing, this.rules);
      const noticeAt = goneAt === null ? null : goneAt - this.lastNoticeMs;
      const toldAt = unloadAnnouncedAt === null ? null : unloadAnnouncedAt + this.lastNoticeMs;
      const ahead = [nextDeadline(standing, confirmedAt, now, this.rules), noticeAt, toldAt];
      return ahead.filter((time) => time !== null && time > now);
    }) as number[];
    if (times.length === 0) return;
    const waitMs = Math.min(Math.min(...times) - now + 1, MAX_TIMER_MS);
    this.timer = setTimeout(() => this.tick(), waitMs).unref();
  }

  private notAPatron(why: string): Failure {
    return new Failure('NOT_A_PATRON', `There is no key for this account: ${why}.`, {
      suggestion: this.comeBack('Join'),
    });
  }

  private lapseOf(owner: string): Lapse {
    const notice = this.noticeOf(owner);
    const context = { appsStopAt: notice?.appsStopAt ?? null, unloadAt: notice?.unloadAt ?? null };
    return { message: notice?.message ?? 'The plan has lapsed.', suggestion: this.comeBack(), context };
  }

  private comeBack(how = 'Mend the membership'): string {
    const { patreon } = this.config;
    if (!patreon) return 'Patreon is not set up here any more: ask the administrator.';
    const join = `${patreon.apiUrl}/bePatron?c=${patreon.campaignId}`;
    return `${how} on Patreon (${join}), then sign in at ${publicUrlOf(this.config)}/auth/patreon.`;
  }
}

const isSame = (one: PatronRecord, other: PatronRecord): boolean => JSON.stringify(one) === JSON.stringify(other);
