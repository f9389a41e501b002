/** What Patreon says of somebody's membership in the campaign. Times are epoch milliseconds. */
export interface Membership {
  memberId: string;
  /** `active_patron`, `declined_patron`, `former_patron`; null: has never pledged. Patreon may come up with others. */
  patronStatus: string | null;
  /** Of the tiers that the member is entitled to now. */
  tierIds: readonly string[];
  entitledCents: number;
  isGifted: boolean;
  isFreeTrial: boolean;
  /** `Paid`, `Declined`, … */
  lastChargeStatus: string | null;
  lastChargeAt: number | null;
  nextChargeAt: number | null;
  /** Months between two charges. */
  pledgeCadence: number | null;
}

/** Why a membership entitles to nothing. */
export type WhyNot = 'former' | 'never-pledged' | 'gifted' | 'trial' | 'unknown-status';

/** Where somebody stands with the campaign, and since when. Times are epoch milliseconds. */
export interface Standing {
  /** `grace`: as active, but only until the grace is over. `lapsed`: reads, stops and unloads what is theirs. */
  phase: 'active' | 'grace' | 'lapsed';
  /** The plan that was earned last. */
  plan: string;
  /** Why it is not active. `unconfirmed`: Patreon has not said anything for too long. */
  why: 'declined' | 'unconfirmed' | WhyNot | null;
  /** Since when the owner has been told that the membership is not right; null while it is. */
  noticeSince: number | null;
  lapsedSince: number | null;
  /** The plan allows less than before, and what runs beyond it has still its grace; null: it does not, or it is over. */
  reduction: Reduction | null;
}

export interface Reduction {
  /** Since when the plan is as low as `to`. */
  since: number;
  /** The plan before; null where it is not the plan that has changed, but what it allows. */
  from: string | null;
  /** The lowest plan since. */
  to: string;
}

/** What signs in for somebody at Patreon. The refresh token is good for one use. */
export interface PatreonTokens {
  accessToken: string;
  refreshToken: string;
  /** Epoch milliseconds. */
  expiresAt: number;
}

export interface CreatorTokens {
  accessToken: string;
  refreshToken?: string;
  /** Digest of the access token in the environment that these have come from. */
  origin: string;
}

export interface PatronRecord {
  /** Id of the user at Patreon; as an owner `patreon:<id>`. */
  patreonId: string;
  /** As Patreon has it, for administrators. */
  name: string;
  membership: Membership;
  /** When Patreon has last said so, epoch milliseconds. */
  confirmedAt: number;
  standing: Standing;
  /** The membership is to a tier that no plan names: the cheapest stands in its place. */
  isUnmapped: boolean;
  /** When the owner was told that the repositories will soon be unloaded, epoch milliseconds; null: not yet. */
  unloadAnnouncedAt: number | null;
  /** How many apps were allowed to run when that was last looked at; null is no limit. */
  allowedApps: number | null;
  /** More than before are allowed: apps that were stopped for the plan may run again, and were not started yet. */
  appsMayReturn: boolean;
  /** null: they are not good any more. */
  tokens: PatreonTokens | null;
}

/** Who has signed in with Patreon. A port: its token is this class. */
export abstract class PatronStore {
  abstract list(): Promise<PatronRecord[]>;
  abstract save(record: PatronRecord): Promise<void>;
  /** Those of the campaign's creator; null where none were kept. */
  abstract creatorTokens(): Promise<CreatorTokens | null>;
  abstract saveCreatorTokens(tokens: CreatorTokens): Promise<void>;
}
