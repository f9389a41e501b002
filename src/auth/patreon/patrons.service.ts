import { Logger, type OnApplicationShutdown } from '@nestjs/common';
import type { StationConfig } from '../../config/config.js';
import type { OwnerNotice } from '../../contracts/events.js';
import { Failure } from '../../contracts/failure.js';
import { EventBus } from '../../events/event-bus.js';
import {
  PatronStore,
  type Membership,
  type PatreonTokens,
  type PatronRecord,
  type Standing,
} from '../../registry/patron-store.js';
import type { GrantedPlans } from '../plans/granted-plans.js';
import type { GrantedPlan } from '../plans/plan.js';
import { PlansService } from '../plans/plans.service.js';
import { claimOf, isBefore, worthOf, type Claim } from './membership.js';
import { PatronNotices } from './notices.js';
import { DeadlineTimer } from './deadline-timer.js';
import type { PatreonIdentity } from './patreon-documents.js';
import { PatronRecords } from './patron-records.js';
import {
  dueNow,
  firstStanding,
  isNewsAfter,
  lastNoticeAt,
  nextDeadline,
  nextStanding,
  silenced,
  type Due,
  type StandingRules,
} from './standing.js';

const PREFIX = 'patreon:';

export const ownerOf = (patreonId: string): string => `${PREFIX}${patreonId}`;

/**
 * Who has signed in with Patreon, and where they stand. What Patreon has said last is believed until it says something
 * else, for three days at most.
 */
export class Patrons implements OnApplicationShutdown {
  private readonly logger = new Logger('Patreon');
  private readonly rules: StandingRules;
  private readonly notices: PatronNotices;
  private readonly timer = new DeadlineTimer(
    (now) => this.earliestDeadline(now),
    () => void this.tick(),
  );
  private readonly unsubscribe: () => void;

  private constructor(
    private readonly config: StationConfig,
    private readonly records: PatronRecords,
    private readonly plans: PlansService,
    private readonly grants: GrantedPlans,
    private readonly events: EventBus,
  ) {
    const { graceMs = 0, retentionMs = 0 } = config.patreon ?? {};
    this.rules = { graceMs, retentionMs, rankOf: (plan) => plans.rankOf(plan) };
    this.notices = new PatronNotices(config, this.rules);
    this.unsubscribe = events.subscribe('plans-changed', () => this.plansHaveChanged());
  }

  static async load(
    config: StationConfig,
    store: PatronStore,
    plans: PlansService,
    grants: GrantedPlans,
    events: EventBus,
  ): Promise<Patrons> {
    return new Patrons(config, await PatronRecords.load(store), plans, grants, events);
  }

  onApplicationShutdown(): void {
    this.timer.end();
    this.unsubscribe();
  }

  list(): PatronRecord[] {
    return this.records.all();
  }

  /** undefined: the owner is no patron. */
  find(owner: string): PatronRecord | undefined {
    return owner.startsWith(PREFIX) ? this.records.get(owner.slice(PREFIX.length)) : undefined;
  }

  /** What comes with the tier; undefined: the owner is no patron. */
  planOf(owner: string): GrantedPlan | undefined {
    const record = this.find(owner);
    if (!record) return undefined;
    const standing = this.standingOf(record);
    return this.plans.granted(
      standing.plan,
      standing.phase === 'lapsed' ? this.notices.lapse(owner, standing) : undefined,
    );
  }

  /** undefined: there is nothing to say, or an administrator's grant stands above the membership. */
  noticeOf(owner: string): OwnerNotice | undefined {
    const record = this.find(owner);
    return record && this.grants.of(owner) === null ? this.notices.of(owner, this.standingOf(record)) : undefined;
  }

  /** What is to be done now about what the owner has, by what Patreon has said last; undefined: the owner is no patron. */
  dueOf(owner: string): Due | undefined {
    if (this.grants.of(owner) !== null) return 'nothing';
    const record = this.find(owner);
    if (!record || !this.config.patreon) return undefined;
    return dueNow({ ...record, standing: this.standingOf(record) }, Date.now(), this.rules);
  }

  /**
   * Somebody has come from Patreon, which was asked at that time. NOT_A_PATRON, PATREON_UNAVAILABLE; somebody who is known is
   * never refused.
   */
  async enter(
    { patreonId, name, membership }: PatreonIdentity,
    tokens: PatreonTokens,
    askedAt: number,
  ): Promise<PatronRecord> {
    const known = this.records.get(patreonId);
    const now = Date.now();
    if (known) {
      const isNews = membership && known.confirmedAt <= askedAt;
      const facts = isNews ? { membership, confirmedAt: askedAt } : {};
      return this.change({ ...known, name, tokens: lastOf(known.tokens, tokens), ...facts });
    }
    if (membership === undefined)
      throw new Failure('PATREON_UNAVAILABLE', 'Patreon does not say what the membership is.');
    if (membership === null) throw this.notices.refusal(null);
    const claim = this.claimOf(membership);
    const standing = firstStanding(claim, now, this.rules.graceMs, membership.lastChargeAt);
    if (!standing) throw this.notices.refusal(claim.kind === 'none' ? claim.why : 'declined');
    const isUnmapped = claim.kind === 'entitled' && claim.isUnmapped;
    const seen = {
      membership,
      confirmedAt: askedAt,
      standing,
      isUnmapped,
      unloadAnnouncedAt: null,
      allowedApps: null,
      appsMayReturn: false,
    };
    return this.change({ patreonId, name, tokens, ...seen });
  }

  /** Patreon was asked at that time and has said something of somebody, who may have never been here. */
  async learn(patreonId: string, membership: Membership, askedAt: number): Promise<void> {
    const known = this.records.get(patreonId);
    if (known && known.confirmedAt <= askedAt) await this.change({ ...known, membership, confirmedAt: askedAt });
  }

  /**
   * An event has told so at that time, and Patreon cannot be asked: it takes away and never gives, as it may be an old one,
   * and confirms nothing.
   */
  async lower(patreonId: string, membership: Membership, toldAt: number): Promise<void> {
    const known = this.records.get(patreonId);
    if (!known || known.confirmedAt > toldAt || isBefore(membership, known.membership)) return;
    const worth = (of: Membership) => worthOf(this.claimOf(of), this.rules.rankOf);
    if (worth(membership) < worth(known.membership)) await this.change({ ...known, membership });
  }

  /** An administrator has granted the owner a plan, or taken it away: then what follows is announced from now on. */
  async grantHasChanged(owner: string): Promise<void> {
    const record = this.find(owner);
    if (!record) return;
    if (this.grants.of(owner) === null) {
      await this.change({ ...record, unloadAnnouncedAt: null });
      const notice = this.noticeOf(owner);
      if (notice) this.publish(notice);
    } else {
      await this.change(record);
    }
    this.events.publish('standing-due', { owner });
  }

  /** The patron's tokens were renewed, or (null) are not good any more; unless a sign-in has brought others meanwhile. */
  async keepTokens(patreonId: string, old: PatreonTokens, tokens: PatreonTokens | null): Promise<void> {
    const record = this.records.get(patreonId);
    if (record?.tokens?.refreshToken === old.refreshToken) await this.change({ ...record, tokens });
  }

  /** More runs than the plan allows, though the plan is what it was: its grace begins. */
  async runsBeyondPlan(owner: string): Promise<void> {
    const record = this.find(owner);
    if (!record || this.grants.of(owner) !== null || record.standing.reduction) return;
    const reduction = { since: Date.now(), from: null, to: record.standing.plan };
    await this.change({ ...record, standing: { ...record.standing, reduction } });
  }

  /** Nothing runs beyond the plan: a reduction that the owner was told of ends with its grace, any other at once. */
  async runsWithinPlan(owner: string): Promise<void> {
    const record = this.find(owner);
    const reduction = record?.standing.reduction;
    if (!reduction || (reduction.from !== null && Date.now() < reduction.since + this.rules.graceMs)) return;
    await this.change({ ...record, standing: { ...record.standing, reduction: null } });
  }

  /** Whether apps that were stopped for the plan are to be started again. */
  mayReturn(owner: string): boolean {
    const record = this.find(owner);
    if (!record?.appsMayReturn) return false;
    return this.grants.of(owner) !== null || this.standingOf(record).phase !== 'lapsed';
  }

  /** The apps that `mayReturn` was about were started again. */
  async haveReturned(owner: string): Promise<void> {
    const record = this.find(owner);
    if (record?.appsMayReturn) await this.change({ ...record, appsMayReturn: false });
  }

  /** Time has passed: tells everybody for whom that changes something. Resolves once that is kept. Never rejects. */
  async tick(): Promise<void> {
    await Promise.all(this.records.all().map((record) => this.tryChange(record)));
  }

  /** Also what the same plan allows may be less now, or more. */
  private plansHaveChanged(): void {
    for (const record of this.records.all()) {
      void this.tryChange(record);
      this.events.publish('standing-due', { owner: ownerOf(record.patreonId) });
    }
  }

  private async tryChange(record: PatronRecord): Promise<void> {
    await this.change(record).catch((error: unknown) => this.logger.error(error));
  }

  /** Keeps what has become of somebody, and tells what is new about where they stand. */
  private async change(record: PatronRecord): Promise<PatronRecord> {
    const before = this.records.get(record.patreonId);
    const claim = this.claimOf(record.membership);
    const now = Date.now();
    const next = this.config.patreon
      ? nextStanding(record.standing, claim, { now, ...record }, this.rules)
      : record.standing;
    const isSilent = !this.config.patreon || this.grants.of(ownerOf(record.patreonId)) !== null;
    const standing = isSilent ? silenced(next) : next;
    const isUnmapped = claim.kind === 'entitled' && claim.isUnmapped;
    const noticeAt = lastNoticeAt(standing, this.rules);
    const isAnnounced = noticeAt !== null && now >= noticeAt;
    const unloadAnnouncedAt = isAnnounced ? (record.unloadAnnouncedAt ?? now) : null;
    const allowedApps = this.allowedApps(ownerOf(record.patreonId), standing);
    const appsMayReturn = record.appsMayReturn || (allowedApps ?? Infinity) > (record.allowedApps ?? Infinity);
    const after = { ...record, standing, isUnmapped, unloadAnnouncedAt, allowedApps, appsMayReturn };
    const written = this.records.set(after);
    this.timer.plan();
    this.tell(before, after);
    await written;
    return after;
  }

  private tell(before: PatronRecord | undefined, after: PatronRecord): void {
    const owner = ownerOf(after.patreonId);
    if (after.isUnmapped && !before?.isUnmapped) {
      const tiers = after.membership.tierIds.join(', ') || 'none';
      this.logger.warn(`${owner} has a tier that no plan names (${tiers}), and so the cheapest plan`);
    }
    const { reduction, noticeSince } = after.standing;
    const isNews = !before || isNewsAfter(before.standing, after.standing);
    const isLastNotice = after.unloadAnnouncedAt !== null && !before?.unloadAnnouncedAt;
    if ((isNews || isLastNotice) && this.grants.of(owner) === null) {
      const wasRestored = before !== undefined && before.standing.phase !== 'active';
      const notice = this.noticeOf(owner) ?? (wasRestored ? this.notices.restored(owner, after.standing) : undefined);
      if (notice) this.publish(notice);
    }
    if (isNews || noticeSince !== null || reduction || after.appsMayReturn) {
      this.events.publish('standing-due', { owner });
    }
  }

  private allowedApps(owner: string, { phase, plan }: Standing): number | null {
    const granted = this.grants.of(owner);
    if (granted === null && (phase === 'lapsed' || !this.config.patreon)) return 0;
    return this.plans.granted(granted ?? plan).quotas.runningApps;
  }

  private publish(notice: OwnerNotice): void {
    const { owner, code, plan } = notice;
    this.logger.log(`${owner}: ${code}, plan ${plan}`);
    this.events.publish('notice', { owner, payload: { ...notice, time: Date.now() } });
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

  private earliestDeadline(now: number): number {
    let earliest = Infinity;
    for (const record of this.records.all()) {
      earliest = Math.min(earliest, nextDeadline(record, now, this.rules) ?? Infinity);
    }
    return earliest;
  }
}

/** Of two sign-ins at once the first may come last. */
const lastOf = (one: PatreonTokens | null, other: PatreonTokens): PatreonTokens =>
  one && one.expiresAt > other.expiresAt ? one : other;
