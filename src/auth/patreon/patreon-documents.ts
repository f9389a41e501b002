import { isPlainObject } from '../../common/fields.js';
import type { Membership } from '../../registry/patron-store.js';

/** A resource of JSON:API, of which nothing is certain. */
type Resource = Record<string, unknown>;

export interface PatreonIdentity {
  patreonId: string;
  name: string;
  /** In the campaign; null where Patreon names none. undefined: it has left out what matters. */
  membership: Membership | null | undefined;
}

export interface CampaignMember {
  patreonId: string;
  campaignId: string | null;
  /** undefined: Patreon has left out what matters. */
  membership: Membership | undefined;
}

/** The user of `GET /identity`; undefined where it is none. */
export function identityOf(document: unknown, campaignId: string): PatreonIdentity | undefined {
  const user = objectAt(document, 'data');
  const patreonId = textAt(user, 'id');
  if (patreonId === undefined || !Array.isArray(related(user, 'memberships'))) return undefined;
  const included = listAt(document, 'included').filter((resource) => resource.type === 'member');
  const member = included.find((resource) => relatedId(resource, 'campaign') === campaignId);
  const name = textAt(objectAt(user, 'attributes'), 'full_name') ?? '';
  // Without its campaign it may be the one that matters.
  const isUnclear = included.some((resource) => relatedId(resource, 'campaign') === null);
  return { patreonId, name, membership: member ? membershipOf(member) : isUnclear ? undefined : null };
}

/** A resource of the type `member`: of a webhook, or of the list of a campaign. */
export function memberOf(resource: unknown): CampaignMember | undefined {
  const patreonId = relatedId(resource, 'user');
  if (patreonId === null) return undefined;
  return { patreonId, campaignId: relatedId(resource, 'campaign'), membership: membershipOf(resource) };
}

/** What was left out is not the same as null: a missing status is not that of somebody who has never pledged. */
function membershipOf(member: unknown): Membership | undefined {
  const memberId = textAt(member, 'id');
  const attributes = objectAt(member, 'attributes');
  const tiers = related(member, 'currently_entitled_tiers');
  if (memberId === undefined || attributes === undefined || !('patron_status' in attributes)) return undefined;
  if (!Array.isArray(tiers)) return undefined;
  return {
    memberId,
    patronStatus: textAt(attributes, 'patron_status') ?? null,
    tierIds: tiers.map((tier) => textAt(tier, 'id')).filter((id) => id !== undefined),
    entitledCents: numberAt(attributes, 'currently_entitled_amount_cents') ?? 0,
    isGifted: attributes.is_gifted === true,
    isFreeTrial: attributes.is_free_trial === true,
    lastChargeStatus: textAt(attributes, 'last_charge_status') ?? null,
    lastChargeAt: timeAt(attributes, 'last_charge_date'),
    nextChargeAt: timeAt(attributes, 'next_charge_date'),
    pledgeCadence: numberAt(attributes, 'pledge_cadence'),
  };
}

function related(resource: unknown, relationship: string): unknown {
  return objectAt(objectAt(resource, 'relationships'), relationship)?.data;
}

const relatedId = (resource: unknown, relationship: string): string | null =>
  textAt(related(resource, relationship), 'id') ?? null;

function objectAt(value: unknown, key: string): Resource | undefined {
  const found = isPlainObject(value) ? value[key] : undefined;
  return isPlainObject(found) ? found : undefined;
}

export function listAt(value: unknown, key: string): Resource[] {
  const found = isPlainObject(value) ? value[key] : undefined;
  return Array.isArray(found) ? found.filter(isPlainObject) : [];
}

function textAt(value: unknown, key: string): string | undefined {
  const found = isPlainObject(value) ? value[key] : undefined;
  return typeof found === 'string' && found !== '' ? found : undefined;
}

function numberAt(value: unknown, key: string): number | null {
  const found = isPlainObject(value) ? value[key] : undefined;
  return typeof found === 'number' && Number.isFinite(found) ? found : null;
}

function timeAt(value: unknown, key: string): number | null {
  const time = Date.parse(textAt(value, key) ?? '');
  return Number.isNaN(time) ? null : time;
}
