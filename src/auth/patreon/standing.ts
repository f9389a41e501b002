import type { PatronRecord, Reduction, Standing } from '../../registry/patron-store.js';
import type { Claim } from './membership.js';

const HOUR_MS = 60 * 60 * 1000;
const DAY_MS = 24 * HOUR_MS;
/** How long what Patreon has said last is believed when it does not answer. */
export const BELIEVED_MS = 72 * HOUR_MS;
/** Before something of an owner is removed, Patreon was asked within so long. */
export const FRESH_MS = HOUR_MS;
/** The last notice comes so long before repositories are unloaded, or a tenth of the time for which they are kept. */
const LAST_NOTICE_MS = 3 * DAY_MS;

/** `nothing`: everything of theirs may run. `later`: what follows was announced, and its time has not come. */
export type Due = 'nothing' | 'later' | 'stop-beyond-plan' | 'stop-all' | 'unload-all';

export interface StandingRules {
  graceMs: number;
  retentionMs: number;
  /** 0 is the cheapest plan; one that is not there any more counts as that. */
  rankOf(plan: string): number;
}

/** Of somebody who has not been seen before; undefined where there is nothing that they could be granted. */
export function firstStanding(
  claim: Claim,
  now: number,
  graceMs: number,
  chargedAt: number | null,
): Standing | undefined {
  const active: Standing = {
    phase: 'active',
    plan: '',
    why: null,
    noticeSince: null,
    lapsedSince: null,
    reduction: null,
  };
  if (claim.kind === 'entitled') return { ...active, plan: claim.plan };
  if (claim.kind === 'none' || claim.plan === null) return undefined;
  // The grace began with the payment that failed, not with the sign-in.
  const noticeSince = Math.min(now, chargedAt ?? now);
  if (now >= noticeSince + graceMs) return undefined;
  return { ...active, phase: 'grace', plan: claim.plan, why: 'declined', noticeSince };
}

/**
 * Where somebody stands now, by where they stood and what their membership entitles to. Every time counts from when the
 * station has noticed, and told.
 */
export function nextStanding(
  before: Standing,
  claim: Claim,
  { now, confirmedAt }: { now: number; confirmedAt: number },
  { graceMs, rankOf }: StandingRules,
): Standing {
  const isConfirmed = now - confirmedAt <= BELIEVED_MS;
  if (claim.kind === 'entitled' && isConfirmed) {
    return {
      phase: 'active',
      plan: claim.plan,
      why: null,
      noticeSince: null,
      lapsedSince: null,
      reduction: nextReduction(before, claim.plan, now, rankOf),
    };
  }
  const why: Standing['why'] = claim.kind === 'none' ? claim.why : isConfirmed ? 'declined' : 'unconfirmed';
  const noticeSince = before.noticeSince ?? now;
  // Whoever has lapsed pays first; but not when it was only Patreon that had not answered.
  const mayBeInGrace = before.phase !== 'lapsed' || before.why === 'unconfirmed';
  const isInGrace = why === 'declined' && mayBeInGrace && now < noticeSince + graceMs;
  const rest = { ...before, why, noticeSince };
  if (isInGrace) return { ...rest, phase: 'grace', lapsedSince: null };
  return { ...rest, phase: 'lapsed', lapsedSince: before.lapsedSince ?? now };
}

/** Each time that the plan becomes lower than it was has a grace of its own; to go up and down again renews none. */
function nextReduction(
  { plan, reduction }: Standing,
  next: string,
  now: number,
  rankOf: StandingRules['rankOf'],
): Reduction | null {
  if (!reduction) return rankOf(next) < rankOf(plan) ? { since: now, from: plan, to: next } : null;
  if (reduction.from !== null && rankOf(next) >= rankOf(reduction.from)) return null;
  return rankOf(next) < rankOf(reduction.to) ? { since: now, from: reduction.from ?? plan, to: next } : reduction;
}

/** Where nothing is announced no time runs: what follows counts from when something is announced again. */
export const silenced = (standing: Standing): Standing => ({
  ...standing,
  noticeSince: null,
  lapsedSince: null,
  reduction: null,
});

/** Whether the owner should hear of it. */
export const isNewsAfter = (before: Standing, { phase, plan, reduction }: Standing): boolean =>
  before.phase !== phase || before.plan !== plan || before.reduction?.since !== reduction?.since;

/** When running apps are stopped: all of somebody lapsed, or those beyond a reduced plan. null: never. */
export function appsStopAt({ phase, noticeSince, reduction }: Standing, { graceMs }: StandingRules): number | null {
  const since = phase === 'active' ? (reduction?.since ?? null) : noticeSince;
  return since === null ? null : since + graceMs;
}

/** When the repositories of somebody lapsed are unloaded: never before their apps were stopped. */
export function unloadAt(standing: Standing, rules: StandingRules): number | null {
  const { lapsedSince } = standing;
  return lapsedSince === null ? null : Math.max(lapsedSince + rules.retentionMs, appsStopAt(standing, rules) ?? 0);
}

/** When the owner is told for the last time that their repositories are about to be unloaded. */
export function lastNoticeAt(standing: Standing, rules: StandingRules): number | null {
  const time = unloadAt(standing, rules);
  return time === null ? null : time - lastNoticeMs(rules);
}

/** What is to be done now about what an owner has. */
export function dueNow(
  { standing, confirmedAt, unloadAnnouncedAt }: Pick<PatronRecord, 'standing' | 'confirmedAt' | 'unloadAnnouncedAt'>,
  now: number,
  rules: StandingRules,
): Due {
  const isOver = (time: number | null) => time !== null && now >= time;
  const { phase, reduction } = standing;
  if (phase !== 'lapsed') {
    if (!reduction) return 'nothing';
    return isOver(reduction.since + rules.graceMs) ? 'stop-beyond-plan' : 'later';
  }
  if (!isOver(appsStopAt(standing, rules))) return 'later';
  // Nothing is removed by what was said long ago, nor before the last notice has had its time.
  const isConfirmed = standing.why !== 'unconfirmed' && now - confirmedAt < FRESH_MS;
  const isTold = unloadAnnouncedAt !== null && now >= unloadAnnouncedAt + lastNoticeMs(rules) * 0.9;
  return isOver(unloadAt(standing, rules)) && isConfirmed && isTold ? 'unload-all' : 'stop-all';
}

/** When time alone will change something next; null: never. */
export function nextDeadline(
  { standing, confirmedAt, unloadAnnouncedAt }: Pick<PatronRecord, 'standing' | 'confirmedAt' | 'unloadAnnouncedAt'>,
  now: number,
  rules: StandingRules,
): number | null {
  const times = [
    appsStopAt(standing, rules),
    standing.reduction && standing.reduction.since + rules.graceMs,
    unloadAt(standing, rules),
    lastNoticeAt(standing, rules),
    unloadAnnouncedAt === null ? null : unloadAnnouncedAt + lastNoticeMs(rules),
    standing.phase === 'lapsed' ? null : confirmedAt + BELIEVED_MS + 1,
  ];
  const ahead = times.filter((time) => time !== null && time > now) as number[];
  return ahead.length === 0 ? null : Math.min(...ahead);
}

const lastNoticeMs = ({ retentionMs }: StandingRules): number => Math.min(LAST_NOTICE_MS, retentionMs / 10);
