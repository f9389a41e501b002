import { setTimeout as delay } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { PatreonUserClient, QueryBuilder, type RestFetcher } from 'patreon-api.ts';
import { isPlainObject } from '../../common/fields.js';
import type { PatreonConfig } from '../../config/config.js';
import type { PatreonTokens } from '../../registry/patron-store.js';
import {
  identityOf,
  listAt,
  memberOf,
  nextCursorOf,
  type CampaignMember,
  type PatreonIdentity,
} from './patreon-documents.js';
import { PatreonRefusal, PatreonUnavailable } from './patreon-failures.js';

/** Longer than Patreon takes on a bad day; nobody waits so long for it. */
const TIMEOUT_MS = 10_000;
const MAX_BODY_CHARS = 16_000_000;
const MEMBERS_PER_PAGE = 500;
const MAX_PAGES = 1_000;
/** Patreon allows a hundred requests a minute for each token. */
const PAGE_PAUSE_MS = 700;
/** When Patreon asks for fewer requests and does not say for how long. */
const DEFAULT_PAUSE_SECONDS = 60;
const MAX_PAUSE_SECONDS = 3_600;

const MEMBER_FIELDS = [
  ...(['patron_status', 'currently_entitled_amount_cents', 'last_charge_status', 'last_charge_date'] as const),
  ...(['next_charge_date', 'pledge_cadence', 'is_gifted', 'is_free_trial'] as const),
];
const IDENTITY = new URLSearchParams({
  include: 'memberships.currently_entitled_tiers,memberships.campaign',
  'fields[user]': 'full_name',
  'fields[member]': MEMBER_FIELDS.join(','),
});
const MEMBER = new URLSearchParams({
  include: 'currently_entitled_tiers,campaign,user',
  'fields[member]': MEMBER_FIELDS.join(','),
});

/** Asks Patreon. Each method rejects with PatreonUnavailable or PatreonRefusal. */
export class PatreonClient {
  private readonly logger = new Logger('Patreon');
  private readonly library: PatreonUserClient;
  /** Epoch milliseconds: before this Patreon wants to be left alone. */
  private quietUntil = 0;

  constructor(
    private readonly config: PatreonConfig,
    private readonly redirectUri: string,
  ) {
    const { apiUrl, clientId, clientSecret } = config;
    this.library = new PatreonUserClient({
      name: 'docking-station',
      oauth: {
        clientId,
        clientSecret,
        redirectUri,
        authorizationUri: `${apiUrl}/oauth2/authorize`,
        accessTokenUri: `${apiUrl}/api/oauth2/token`,
      },
      // What the library makes of failures (it waits, it retries, it throws arrays) is decided here instead.
      rest: { api: `${apiUrl}/api/oauth2/v2`, retries: 0, fetch: this.fetch },
    });
  }

  /** Where somebody allows the station to know who they are. `state` comes back with them. */
  authorizeUrl(state: string): string {
    return this.library.oauth.createOauthUri({ redirectUri: this.redirectUri, scopes: ['identity'], state });
  }

  /** For the code with which somebody comes back; it is good for one use. */
  async exchange(code: string): Promise<PatreonTokens> {
    return tokensOf(await this.asked(() => this.library.oauth.getOauthTokenFromCode({ code })));
  }

  /** The old pair is not good any more afterwards. */
  async refresh({ refreshToken }: Pick<PatreonTokens, 'refreshToken'>): Promise<PatreonTokens> {
    return tokensOf(await this.asked(() => this.library.oauth.refreshToken(refreshToken)));
  }

  async identity(accessToken: string): Promise<PatreonIdentity> {
    const document = await this.read('/identity', IDENTITY, accessToken);
    return identityOf(document, this.config.campaignId) ?? unusable('it does not say who it is');
  }

  /** With the creator's token. null: there is no such member; undefined: Patreon has left out who it is. */
  async member(memberId: string, accessToken: string): Promise<CampaignMember | null | undefined> {
    try {
      const { data } = await this.read(`/members/${encodeURIComponent(memberId)}`, MEMBER, accessToken);
      return this.ofCampaign(data);
    } catch (error) {
      if (error instanceof PatreonRefusal && error.status === 404) return null;
      throw error;
    }
  }

  /** All members of the campaign, page by page, no faster than Patreon wants it. With the creator's token. */
  async *members(accessToken: string): AsyncGenerator<CampaignMember[]> {
    const query = new URLSearchParams(MEMBER);
    query.set('page[count]', String(MEMBERS_PER_PAGE));
    const cursors = new Set<string>();
    for (;;) {
      const page = await this.read(`/campaigns/${this.config.campaignId}/members`, query, accessToken);
      if (!Array.isArray(page.data)) unusable('it gives no list of members');
      yield page.data.map((member) => this.ofCampaign(member)).filter((member) => member !== undefined);
      const next = nextCursorOf(page);
      if (next === undefined) return;
      if (cursors.has(next) || cursors.size >= MAX_PAGES) unusable('its list of members does not end');
      cursors.add(next);
      query.set('page[cursor]', next);
      await delay(PAGE_PAUSE_MS, undefined, { ref: false });
      await this.quiet();
    }
  }

  private ofCampaign(resource: unknown): CampaignMember | undefined {
    const member = memberOf(resource);
    return member?.campaignId === this.config.campaignId ? member : undefined;
  }

  private async read(path: string, query: URLSearchParams, accessToken: string): Promise<Record<string, unknown>> {
    const document: unknown = await this.asked(() =>
      this.library.oauth.fetch(path, QueryBuilder.fromParams(query), { token: accessToken }),
    );
    return isPlainObject(document) ? document : unusable('it says nothing');
  }

  private async asked<T>(ask: () => Promise<T>): Promise<T> {
    try {
      return await ask();
    } catch (error) {
      if (error instanceof PatreonRefusal || error instanceof PatreonUnavailable) throw error;
      throw new PatreonUnavailable('Patreon cannot be reached', { cause: error });
    }
  }

  private readonly fetch: RestFetcher = async (url, init) => {
    const { quietMs } = this;
    if (quietMs > 0) throw new PatreonUnavailable(`Patreon wants to be left alone for ${Math.ceil(quietMs / 1000)} s`);
    const response = await fetch(url, { ...init, signal: AbortSignal.timeout(TIMEOUT_MS), redirect: 'error' });
    const text = await response.text();
    if (response.status === 429) this.pause(response.headers.get('retry-after'), text);
    if (response.status === 429 || response.status >= 500) unusable(`it answered ${response.status}`);
    const document = text.length > MAX_BODY_CHARS ? undefined : parsed(text);
    // A proxy in front of Patreon answers with HTML whatever the status; what refuses a token is JSON.
    if (document === undefined) unusable(`it answered ${response.status} with something other than JSON`);
    if (!response.ok) throw this.refusal(response.status, document.error);
    return new Response(text, { status: response.status });
  };

  private refusal(status: number, error: unknown): PatreonRefusal {
    const refusal = new PatreonRefusal(status, error);
    if (refusal.isOfClient) {
      this.logger.error('Patreon does not accept this station: check PATREON_CLIENT_ID and PATREON_CLIENT_SECRET');
    }
    return refusal;
  }

  /** Milliseconds for which Patreon wants to be left alone from now on. */
  get quietMs(): number {
    return Math.max(0, this.quietUntil - Date.now());
  }

  /** Resolves when Patreon may be asked again. */
  async quiet(): Promise<void> {
    if (this.quietMs > 0) await delay(this.quietMs, undefined, { ref: false });
  }

  private pause(header: string | null, text: string): void {
    const [error] = listAt(parsed(text), 'errors');
    const said = [header || NaN, error?.retry_after_seconds ?? NaN].map(Number).filter((seconds) => seconds >= 0);
    const seconds = said.length === 0 ? DEFAULT_PAUSE_SECONDS : Math.min(Math.max(...said), MAX_PAUSE_SECONDS);
    this.quietUntil = Date.now() + seconds * 1000;
  }
}

function parsed(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isPlainObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function tokensOf(answer: unknown): PatreonTokens {
  const {
    access_token: accessToken,
    refresh_token: refreshToken,
    expires_in: seconds,
  } = (answer ?? {}) as Record<string, unknown>;
  if (typeof accessToken !== 'string' || typeof refreshToken !== 'string') return unusable('it gives no token');
  const livesMs = Number(seconds) * 1000;
  return { accessToken, refreshToken, expiresAt: Date.now() + (Number.isFinite(livesMs) ? livesMs : 0) };
}

function unusable(why: string): never {
  throw new PatreonUnavailable(`Patreon cannot be understood: ${why}`);
}
