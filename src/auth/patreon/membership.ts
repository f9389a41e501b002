import type { Membership, WhyNot } from '../../registry/patron-store.js';
import type { Plan } from '../plans/plan.js';

/** Which memberships that nobody pays for count. */
export interface MembershipRules {
  countsGifted: boolean;
  countsTrial: boolean;
}

export type Claim =
  /** `isUnmapped`: to a tier, but no plan names it, so it is the cheapest. */
  | { kind: 'entitled'; plan: string; isUnmapped: boolean }
  /** The last payment has failed. `plan` is null where the tier is not known any more. */
  | { kind: 'declined'; plan: string | null }
  | { kind: 'none'; why: WhyNot };

/** What a membership entitles to, by its facts: the tiers decide and not the cents, which differ by currency. */
export function claimOf(
  membership: Membership,
  { countsGifted, countsTrial }: MembershipRules,
  plans: readonly Plan[],
): Claim {
  const { patronStatus, tierIds, isGifted, isFreeTrial } = membership;
  if (patronStatus === 'former_patron') return { kind: 'none', why: 'former' };
  if (isGifted && !countsGifted) return { kind: 'none', why: 'gifted' };
  if (isFreeTrial && !countsTrial) return { kind: 'none', why: 'trial' };
  const mapped = bestOf(plans, tierIds);
  if (patronStatus === 'declined_patron') return { kind: 'declined', plan: mapped };
  // Nobody has pledged for what is a gift or a trial: of these the tier alone tells.
  const isFree = patronStatus === null && (isGifted || isFreeTrial) && tierIds.length > 0;
  if (patronStatus !== 'active_patron' && !isFree) {
    return { kind: 'none', why: patronStatus === null ? 'never-pledged' : 'unknown-status' };
  }
  const [cheapest] = plans;
  if (!cheapest) throw new Error('there is no plan at all');
  return { kind: 'entitled', plan: mapped ?? cheapest.id, isUnmapped: mapped === null };
}

/** The more it entitles to, the higher. */
export function worthOf(claim: Claim, rankOf: (plan: string) => number): number {
  if (claim.kind === 'entitled') return 2 + rankOf(claim.plan);
  return claim.kind === 'declined' ? 1 : 0;
}

/** By the last payment. */
export const isBefore = (one: Membership, other: Membership): boolean =>
  (one.lastChargeAt ?? Infinity) < (other.lastChargeAt ?? -Infinity);

/** The best plan that names one of the tiers. */
function bestOf(plans: readonly Plan[], tierIds: readonly string[]): string | null {
  return plans.findLast(({ tiers }) => tiers.some((tier) => tierIds.includes(tier)))?.id ?? null;
}
