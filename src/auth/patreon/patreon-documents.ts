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
  const named = related(user, 'memberships');
  if (patreonId === undefined || !Array.isArray(named)) return undefined;
  const included = listAt(document, 'included').filter((resource) => resource.type === 'member');
  const member = included.find((resource) => relatedId(resource, 'campaign') === campaignId);
  const name = textAt(objectAt(user, 'attributes'), 'full_name') ?? '';
  // One that is named and not there, or there without its campaign, may be the one that matters.
  const whole = included.filter((resource) => relatedId(resource, 'campaign') !== null).map(({ id }) => id);
  const isClear = whole.length === included.length && named.every((one) => whole.includes(textAt(one, 'id')));
  return { patreonId, name, membership: member ? membershipOf(member) : isClear ? null : undefined };
}

/** A resource of the type `member`: of a webhook, or of the list of a campaign. */
export function memberOf(resource: unknown): CampaignMember | undefined {
  const patreonId = relatedId(resource, 'user');
  if (patreonId === null) return undefined;
  return { patreonId, campaignId: relatedId(resource, 'campaign'), membership: membershipOf(resource) };
}

/** Where the next page of a list begins; undefined on the last one. */
export function nextCursorOf(document: unknown): string | undefined {
  return textAt(objectAt(objectAt(objectAt(document, 'meta'), 'pagination'), 'cursors'), 'next');
}

/**
 * What was left out, or cannot be understood, is not the same as null: a status that is missing is not that of somebody who
 * has never pledged.
 */
function membershipOf(member: unknown): Membership | undefined {
  const memberId = textAt(member, 'id');
  const attributes = objectAt(member, 'attributes');
  const patronStatus = attributes?.patron_status === null ? null : textAt(attributes, 'patron_status');
  const tierIds = idsOf(related(member, 'currently_entitled_tiers'));
  const isGifted = flagAt(attributes, 'is_gifted');
  const isFreeTrial = flagAt(attributes, 'is_free_trial');
  if (memberId === undefined || patronStatus === undefined || tierIds === undefined) return undefined;
  if (isGifted === undefined || isFreeTrial === undefined) return undefined;
  return {
    memberId,
    patronStatus,
    tierIds,
    entitledCents: numberAt(attributes, 'currently_entitled_amount_cents') ?? 0,
    isGifted,
    isFreeTrial,
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

/** undefined where one of them has none. */
function idsOf(resources: unknown): string[] | undefined {
  if (!Array.isArray(resources)) return undefined;
  const ids = resources.map((resource) => textAt(resource, 'id')).filter((id) => id !== undefined);
  return ids.length === resources.length ? ids : undefined;
}

/** undefined where it is neither true nor false; Patreon leaves out what is false. */
function flagAt(value: unknown, key: string): boolean | undefined {
  const found = isPlainObject(value) ? (value[key] ?? false) : undefined;
  return typeof found === 'boolean' ? found : undefined;
}

function numberAt(value: unknown, key: string): number | null {
  const found = isPlainObject(value) ? value[key] : undefined;
  return typeof found === 'number' && Number.isFinite(found) ? found : null;
}

function timeAt(value: unknown, key: string): number | null {
  const time = Date.parse(textAt(value, key) ?? '');
  return Number.isNaN(time) ? null : time;
}
