export interface FakeMember {
  /** Id of the user. */
  user: string;
  name?: string;
  campaign?: string;
  status: string | null;
  tiers?: string[];
  cents?: number;
  isGifted?: boolean;
  isFreeTrial?: boolean;
  lastChargeDate?: string | null;
  /** Memberships of the same user in other campaigns. */
  elsewhere?: Omit<FakeMember, 'user' | 'name' | 'elsewhere'>[];
}

export const CAMPAIGN = '4242';

/** What is asked for about members. */
export interface Wanted {
  /** Whether members are. */
  isAsked: boolean;
  fields: readonly string[];
  related: readonly string[];
}

/** What a webhook holds. */
export const WHOLE: Wanted = {
  isAsked: true,
  fields: [
    'patron_status',
    'currently_entitled_amount_cents',
    'last_charge_status',
    'last_charge_date',
    'next_charge_date',
    'pledge_cadence',
    'is_gifted',
    'is_free_trial',
  ],
  related: ['campaign', 'user', 'currently_entitled_tiers'],
};

/** `path`: where the members stand in the document. */
export function wantedOf({ searchParams }: URL, path = ''): Wanted {
  const includes = (searchParams.get('include') ?? '').split(',').filter((one) => one.startsWith(path));
  const related = includes.map((one) => one.split('.').at(-1) ?? '');
  return { isAsked: includes.length > 0, fields: (searchParams.get('fields[member]') ?? '').split(','), related };
}

export const idOf = ({ user, campaign = CAMPAIGN }: FakeMember): string => `member-${campaign}-${user}`;

export const isOfCampaign = ({ campaign = CAMPAIGN }: FakeMember): boolean => campaign === CAMPAIGN;

/** Without the scope `identity.memberships` it holds only the membership in the campaign of the client. */
export function identityDocument(
  user: string,
  member: FakeMember | undefined,
  scopes: readonly string[],
  wanted: Wanted,
): object {
  const all = member && wanted.isAsked ? membershipsOf(member) : [];
  const memberships = scopes.includes('identity.memberships') ? all : all.filter(isOfCampaign);
  const data = memberships.map((one) => ({ type: 'member', id: idOf(one) }));
  return {
    data: {
      type: 'user',
      id: user,
      attributes: { full_name: member?.name ?? `User ${user}` },
      relationships: wanted.isAsked ? { memberships: { data } } : {},
    },
    included: memberships.map((one) => memberResource(one, wanted)),
  };
}

const membershipsOf = (member: FakeMember): FakeMember[] => {
  const elsewhere = (member.elsewhere ?? []).map((one) => ({ ...one, user: member.user }));
  return [...elsewhere, member];
};

export function memberResource(member: FakeMember, { fields, related }: Wanted): object {
  const {
    user,
    campaign = CAMPAIGN,
    status,
    tiers = [],
    cents = 500,
    isGifted = false,
    isFreeTrial = false,
    lastChargeDate = null,
  } = member;
  return {
    type: 'member',
    id: idOf(member),
    attributes: onlyOf(fields, {
      patron_status: status,
      currently_entitled_amount_cents: cents,
      last_charge_status: status === 'declined_patron' ? 'Declined' : status === null ? null : 'Paid',
      last_charge_date: lastChargeDate,
      next_charge_date: null,
      pledge_cadence: 1,
      is_gifted: isGifted,
      is_free_trial: isFreeTrial,
    }),
    relationships: onlyOf(related, {
      campaign: { data: { type: 'campaign', id: campaign } },
      user: { data: { type: 'user', id: user } },
      currently_entitled_tiers: { data: tiers.map((id) => ({ type: 'tier', id })) },
    }),
  };
}

const onlyOf = (names: readonly string[], values: Record<string, unknown>): object =>
  Object.fromEntries(Object.entries(values).filter(([name]) => names.includes(name)));
