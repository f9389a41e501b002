import type { StationConfig } from '../../config/config.js';
import { publicUrlOf } from '../../config/public-url.js';
import type { OwnerNotice } from '../../contracts/events.js';
import { Failure } from '../../contracts/failure.js';
import type { Standing } from '../../registry/patron-store.js';
import type { Lapse } from '../plans/plan.js';
import { appsStopAt, unloadAt, type StandingRules } from './standing.js';

/** Why a membership comes with no plan, for its member. */
const WHY_NOT: Record<Exclude<Standing['why'], null>, string> = {
  declined: 'Patreon could not charge the last payment',
  unconfirmed: 'Patreon has not confirmed the membership for three days',
  former: 'the membership has ended',
  'never-pledged': 'the membership is a free one',
  gifted: 'memberships that are a gift do not count here',
  trial: 'free trials do not count here',
  'unknown-status': 'Patreon gives it a status that is not known here',
};

/** What patrons are told of where they stand, why, and how to come back. */
export class PatronNotices {
  constructor(
    private readonly config: StationConfig,
    private readonly rules: StandingRules,
  ) {}

  /** undefined: there is nothing that the owner should know. */
  of(owner: string, standing: Standing): OwnerNotice | undefined {
    const { phase, plan, noticeSince, reduction } = standing;
    const { appsStopAt: stopAt, unloadAt: goneAt } = this.datesOf(standing);
    const about = {
      time: noticeSince ?? reduction?.since ?? Date.now(),
      owner,
      plan,
      appsStopAt: stopAt,
      unloadAt: goneAt,
    };
    if (phase === 'lapsed') {
      const follows =
        stopAt === null || goneAt === null
          ? 'Nothing of what is there is stopped or removed.'
          : `Running apps are stopped on ${day(stopAt)}, and repositories are kept until ${day(goneAt)}.`;
      const message = `Your plan has lapsed: ${this.whyNot(standing)}. ${follows} ${this.comeBack()}`;
      return { ...about, code: 'PLAN_LAPSED', message };
    }
    if (stopAt === null) return undefined;
    if (phase === 'grace') {
      const message = `${sentence(WHY_NOT.declined)} Your plan stays as it is until ${day(stopAt)}. ${this.comeBack()}`;
      return { ...about, code: 'PAYMENT_DECLINED', message };
    }
    const message = `Your plan allows less than before. What runs beyond it is stopped on ${day(stopAt)}, the newest apps first. Nothing is removed.`;
    return { ...about, code: 'PLAN_REDUCED', message };
  }

  /** Of somebody who was in grace, or lapsed. */
  restored(owner: string, { plan }: Standing): OwnerNotice {
    const message = 'Your membership is active again, and your plan is restored.';
    return { time: 0, owner, plan, code: 'PLAN_RESTORED', message, appsStopAt: null, unloadAt: null };
  }

  /** What a refusal says to somebody whose plan has lapsed. */
  lapse(owner: string, standing: Standing): Lapse {
    const message = this.of(owner, standing)?.message ?? 'Your plan has lapsed.';
    return { message, suggestion: this.comeBack(), context: this.datesOf(standing) };
  }

  /** NOT_A_PATRON, for somebody who has not been here before; null: there is no membership at all. */
  refusal(why: Standing['why']): Failure {
    const reason = why === null ? 'it has no membership in this campaign' : WHY_NOT[why];
    return new Failure('NOT_A_PATRON', `There is no key for this account: ${reason}.`, {
      suggestion: this.comeBack('Join'),
    });
  }

  /** Where Patreon is not set up any more nothing follows. */
  private datesOf(standing: Standing): { appsStopAt: number | null; unloadAt: number | null } {
    if (!this.config.patreon) return { appsStopAt: null, unloadAt: null };
    return { appsStopAt: appsStopAt(standing, this.rules), unloadAt: unloadAt(standing, this.rules) };
  }

  private whyNot({ why }: Standing): string {
    return this.config.patreon ? WHY_NOT[why ?? 'unconfirmed'] : 'Patreon is not set up here any more';
  }

  private comeBack(how = 'Renew or fix your membership'): string {
    const { patreon } = this.config;
    if (!patreon) return 'Ask the administrator for a plan.';
    const join = `${patreon.apiUrl}/bePatron?c=${patreon.campaignId}`;
    return `${how} on Patreon (${join}), then sign in at ${publicUrlOf(this.config)}/auth/patreon.`;
  }
}

const day = (time: number): string => new Date(time).toISOString().slice(0, 10);

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
