import type { OwnerNotice } from '../../contracts/events.js';
import type { Standing } from '../../registry/patron-store.js';
import { appsStopAt, unloadAt, type StandingRules } from './standing.js';

type Said = Pick<OwnerNotice, 'code' | 'message' | 'appsStopAt' | 'unloadAt'>;

/** Why a membership comes with no plan, for its member. */
export const WHY_NOT: Record<Exclude<Standing['why'], null>, string> = {
  declined: 'Patreon could not charge the last payment',
  unconfirmed: 'Patreon has not confirmed the membership for three days',
  former: 'the membership has ended',
  'never-pledged': 'the membership is a free one',
  gifted: 'memberships that are a gift do not count here',
  trial: 'free trials do not count here',
  'unknown-status': 'Patreon gives it a status that is not known here',
};

const day = (time: number | null): string => new Date(time ?? 0).toISOString().slice(0, 10);

/** What an owner should know of where they stand now; undefined: nothing. */
export function noticeOf(standing: Standing, rules: StandingRules, comeBack: string): Said | undefined {
  const { phase, why, reducedSince } = standing;
  const [stopAt, goneAt] = [appsStopAt(standing, rules), unloadAt(standing, rules)];
  if (phase === 'grace') {
    const message = `${sentence(WHY_NOT.declined)} The plan stays as it is until ${day(stopAt)}. ${comeBack}`;
    return { code: 'PAYMENT_DECLINED', message, appsStopAt: stopAt, unloadAt: null };
  }
  if (phase === 'lapsed') {
    const follows = `Apps that run are stopped on ${day(stopAt)}, and repositories are kept until ${day(goneAt)}.`;
    const message = `The plan has lapsed: ${WHY_NOT[why ?? 'unconfirmed']}. ${follows} ${comeBack}`;
    return { code: 'PLAN_LAPSED', message, appsStopAt: stopAt, unloadAt: goneAt };
  }
  if (reducedSince === null) return undefined;
  const message = `The plan allows less than before. What runs beyond it is stopped on ${day(stopAt)}, the newest first. Nothing is removed.`;
  return { code: 'PLAN_REDUCED', message, appsStopAt: stopAt, unloadAt: null };
}

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
