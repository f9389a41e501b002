import type { Membership } from '../../registry/patron-store.js';
import type { Plan } from '../plans/plan.js';
import { UNBOUNDED } from '../plans/plan.js';
import { claimOf, type Claim } from './membership.js';

const plan = (id: string, tiers: string[]): Plan => ({ id, name: id, permissions: [], quotas: UNBOUNDED, tiers });
const PLANS = [plan('small', ['1']), plan('middle', ['2', '3']), plan('large', ['4'])];

const ACTIVE: Membership = {
  memberId: 'm',
  patronStatus: 'active_patron',
  tierIds: ['2'],
  entitledCents: 500,
  isGifted: false,
  isFreeTrial: false,
  lastChargeStatus: 'Paid',
  lastChargeAt: 0,
  nextChargeAt: 0,
  pledgeCadence: 1,
};
const ALL = { countsGifted: true, countsTrial: true };
const entitled = (id: string, isUnmapped = false): Claim => ({ kind: 'entitled', plan: id, isUnmapped });
const none = (why: Extract<Claim, { kind: 'none' }>['why']): Claim => ({ kind: 'none', why });

describe('A membership', () => {
  it.each<[string, Partial<Membership>, Claim]>([
    ['that is active, to the plan of its tier', {}, entitled('middle')],
    ['of several tiers, to the best of their plans', { tierIds: ['1', '4', '2'] }, entitled('large')],
    ['of whatever cents, by its tier', { entitledCents: 0 }, entitled('middle')],
    ['of a tier that no plan names, to the cheapest', { tierIds: ['9'] }, entitled('small', true)],
    ['of no tier, to the cheapest', { tierIds: [] }, entitled('small', true)],
    [
      'whose payment was declined, to what it did',
      { patronStatus: 'declined_patron' },
      { kind: 'declined', plan: 'middle' },
    ],
    [
      'whose payment was declined, and whose tier is gone',
      { patronStatus: 'declined_patron', tierIds: [] },
      { kind: 'declined', plan: null },
    ],
    ['that is over, to nothing', { patronStatus: 'former_patron' }, none('former')],
    ['that is free, to nothing', { patronStatus: null }, none('never-pledged')],
    ['of a status that is new, to nothing', { patronStatus: 'paused' }, none('unknown-status')],
    ['that is a gift, by its tier', { patronStatus: null, isGifted: true }, entitled('middle')],
    [
      'that is a gift without a tier, to nothing',
      { patronStatus: null, isGifted: true, tierIds: [] },
      none('never-pledged'),
    ],
    ['that was a gift, to nothing', { patronStatus: 'former_patron', isGifted: true }, none('former')],
    ['that is a free trial, by its tier', { patronStatus: null, isFreeTrial: true }, entitled('middle')],
  ])('entitles, %s', (_, facts, claim) => {
    expect(claimOf({ ...ACTIVE, ...facts }, ALL, PLANS)).toEqual(claim);
  });

  it.each<[Partial<Membership>, Claim]>([
    [{ isGifted: true }, none('gifted')],
    [{ isFreeTrial: true }, none('trial')],
  ])('%j entitles to nothing where such do not count', (facts, claim) => {
    expect(claimOf({ ...ACTIVE, ...facts }, { countsGifted: false, countsTrial: false }, PLANS)).toEqual(claim);
  });
});
