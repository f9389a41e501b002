import { createHmac, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

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
}

/** How it misbehaves, until told otherwise. */
export type Trouble =
  | 'none'
  | 'down'
  | 'html'
  | 'silent'
  | 'too-many'
  | 'too-many-in-body'
  /** Does not accept the client's secret. */
  | 'bad-client'
  /** Answers 200, and says nothing. */
  | 'blank'
  /** Leaves out the fields that matter. */
  | 'incomplete';

interface Grant {
  user: string;
  scope: string;
}

const CAMPAIGN = '4242';
const PAGE = 2;

/** Patreon as the station sees it, on loopback: authorize page, tokens, JSON:API, webhooks. */
export class FakePatreon {
  static async start(): Promise<FakePatreon> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new FakePatreon(server);
  }

  readonly clientId = 'client-of-the-tests';
  readonly clientSecret = 'secret-of-the-tests';
  readonly campaignId = CAMPAIGN;
  readonly webhookSecret = 'webhook-secret-of-the-tests';
  readonly creator = { accessToken: 'creator-access', refreshToken: 'creator-refresh' };
  /** By user. */
  readonly members = new Map<string, FakeMember>();
  /** What was asked, in order: `GET /api/oauth2/v2/identity` … */
  readonly requests: string[] = [];
  trouble: Trouble = 'none';
  retryAfterSeconds = 30;
  /** Seconds for which access tokens are good. */
  tokensLiveSeconds = 2_678_400;
  private readonly codes = new Map<string, Grant>();
  private readonly accessTokens = new Map<string, Grant & { expiresAt: number }>();
  private readonly refreshTokens = new Map<string, Grant>();

  private constructor(private readonly server: Server) {
    server.on('request', (request, response) => void this.answer(request, response));
    this.giveCreatorTokens(this.creator.accessToken, this.creator.refreshToken);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** For a station that is to use it. */
  get environment(): Record<string, string> {
    return {
      PATREON_API_URL: this.url,
      PATREON_CLIENT_ID: this.clientId,
      PATREON_CLIENT_SECRET: this.clientSecret,
      PATREON_CAMPAIGN_ID: this.campaignId,
      PATREON_WEBHOOK_SECRET: this.webhookSecret,
    };
  }

  asked(path: string): number {
    return this.requests.filter((request) => request.includes(path)).length;
  }

  /** All that it has ever given. */
  tokens(): string[] {
    return [...this.accessTokens.keys(), ...this.refreshTokens.keys()];
  }

  join(member: FakeMember): void {
    this.members.set(member.user, member);
  }

  change(user: string, changes: Partial<FakeMember>): void {
    const member = this.members.get(user);
    if (!member) throw new Error(`There is no member ${user}`);
    this.members.set(user, { ...member, ...changes });
  }

  /** Every access token is refused from now on, until it is renewed. */
  expireTokens(): void {
    for (const [token, grant] of this.accessTokens) this.accessTokens.set(token, { ...grant, expiresAt: 0 });
  }

  /** The user has taken the station's access away. */
  revoke(user: string): void {
    for (const tokens of [this.accessTokens, this.refreshTokens]) {
      for (const [token, grant] of tokens) if (grant.user === user) tokens.delete(token);
    }
  }

  /** What the user's browser does at the page that the station has sent it to: allows it, and is sent back there. */
  allow(authorizeUrl: string, user: string): string {
    const { searchParams } = this.authorizePage(authorizeUrl);
    const code = randomBytes(16).toString('hex');
    this.codes.set(code, { user, scope: searchParams.get('scope') ?? '' });
    return redirectOf(searchParams, { code });
  }

  decline(authorizeUrl: string): string {
    return redirectOf(this.authorizePage(authorizeUrl).searchParams, { error: 'access_denied' });
  }

  /** An event as Patreon sends it, signed; `changes` are what it says and what is not true (any more). */
  webhook(user: string, changes: Partial<FakeMember> = {}): { body: string; signature: string } {
    const member = this.members.get(user) ?? { user, status: null };
    const body = JSON.stringify({ data: this.memberResource({ ...member, ...changes }, MEMBER_FIELDS) });
    return { body, signature: this.sign(body) };
  }

  sign(body: string | Buffer, secret = this.webhookSecret): string {
    return createHmac('md5', secret).update(body).digest('hex');
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  private authorizePage(authorizeUrl: string): URL {
    const url = new URL(authorizeUrl);
    const { searchParams } = url;
    const isPage = url.origin === this.url && url.pathname === '/oauth2/authorize';
    const isOurs = searchParams.get('client_id') === this.clientId && searchParams.get('response_type') === 'code';
    if (!isPage || !isOurs) throw new Error(`This is not the authorize page of the client: ${authorizeUrl}`);
    return url;
  }

  private giveCreatorTokens(access: string, refresh: string): void {
    const grant = { user: 'creator', scope: 'identity campaigns campaigns.members' };
    this.accessTokens.set(access, { ...grant, expiresAt: Infinity });
    this.refreshTokens.set(refresh, grant);
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', this.url);
    const body = Buffer.concat(await request.toArray()).toString();
    this.requests.push(`${request.method} ${url.pathname}`);
    if (!request.headers['user-agent']?.includes('docking-station'))
      return json(response, 403, failure('no user agent'));
    if (this.trouble !== 'none' && this.inTrouble(response)) return;
    if (url.pathname === '/api/oauth2/token') return this.token(new URLSearchParams(body), response);
    const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '';
    const grant = this.accessTokens.get(token);
    if (!grant || grant.expiresAt <= Date.now()) return json(response, 401, failure('Unauthorized'));
    this.read(url, grant, response);
  }

  private inTrouble(response: ServerResponse): boolean {
    const { trouble, retryAfterSeconds } = this;
    if (trouble === 'down') json(response, 500, failure('Internal Server Error'));
    if (trouble === 'html') {
      response.writeHead(403, { 'content-type': 'text/html' }).end('<!doctype html><title>Just a moment…</title>');
    }
    if (trouble === 'too-many') {
      response.setHeader('retry-after', String(retryAfterSeconds));
      json(response, 429, failure('Too Many Requests'));
    }
    if (trouble === 'too-many-in-body') {
      json(response, 429, failure('Too Many Requests', { retry_after_seconds: retryAfterSeconds }));
    }
    return !['blank', 'incomplete', 'bad-client'].includes(trouble);
  }

  private token(form: URLSearchParams, response: ServerResponse): void {
    const isClient =
      this.trouble !== 'bad-client' &&
      form.get('client_id') === this.clientId &&
      form.get('client_secret') === this.clientSecret;
    const [tokens, name] =
      form.get('grant_type') === 'refresh_token' ? [this.refreshTokens, 'refresh_token'] : [this.codes, 'code'];
    const given = form.get(name) ?? '';
    const grant = tokens.get(given);
    if (!isClient) return json(response, 401, { error: 'invalid_client' });
    if (!grant) return json(response, 400, { error: 'invalid_grant' });
    tokens.delete(given); // either is good for one use
    const [access, refresh] = [randomBytes(16).toString('hex'), randomBytes(16).toString('hex')];
    this.accessTokens.set(access, { ...grant, expiresAt: Date.now() + this.tokensLiveSeconds * 1000 });
    this.refreshTokens.set(refresh, grant);
    json(response, 200, {
      access_token: access,
      refresh_token: refresh,
      expires_in: this.tokensLiveSeconds,
      token_type: 'Bearer',
      scope: grant.scope,
      version: '0.0.1',
    });
  }

  private read(url: URL, { user, scope }: Grant, response: ServerResponse): void {
    const fields = (url.searchParams.get('fields[member]') ?? '').split(',');
    const includes = (url.searchParams.get('include') ?? '').split(',');
    if (url.pathname === '/api/oauth2/v2/identity') return json(response, 200, this.identity(user, fields, includes));
    if (!scope.includes('campaigns.members')) return json(response, 403, failure('Forbidden'));
    const memberId = /^\/api\/oauth2\/v2\/members\/(.+)$/.exec(url.pathname)?.[1];
    if (memberId !== undefined) {
      const member = [...this.members.values()].find((one) => idOf(one) === memberId);
      if (!member || this.trouble === 'blank') return json(response, 404, failure('Not Found'));
      return json(response, 200, { data: this.memberResource(member, fields) });
    }
    if (url.pathname === `/api/oauth2/v2/campaigns/${CAMPAIGN}/members`) return this.list(url, fields, response);
    json(response, 404, failure('Not Found'));
  }

  /** Without the scope `identity.memberships` only the membership in the campaign of the client. */
  private identity(user: string, fields: string[], includes: string[]): object {
    const member = this.members.get(user);
    const isMember = member !== undefined && this.trouble !== 'blank';
    const memberships = isMember && includes.some((one) => one.startsWith('memberships')) ? [member] : [];
    return {
      data: {
        type: 'user',
        id: user,
        attributes: { full_name: member?.name ?? `User ${user}` },
        relationships: { memberships: { data: memberships.map((one) => ({ type: 'member', id: idOf(one) })) } },
      },
      included: memberships.map((one) => this.memberResource(one, fields)),
    };
  }

  private list(url: URL, fields: string[], response: ServerResponse): void {
    const members = this.trouble === 'blank' ? [] : [...this.members.values()];
    const from = Number(url.searchParams.get('page[cursor]') ?? 0);
    const page = members.slice(from, from + PAGE);
    const next = from + PAGE < members.length ? String(from + PAGE) : null;
    json(response, 200, {
      data: page.map((member) => this.memberResource(member, fields)),
      meta: { pagination: { total: members.length, cursors: { next } } },
    });
  }

  private memberResource(member: FakeMember, fields: readonly string[]): object {
    const {
      user,
      campaign = CAMPAIGN,
      status,
      tiers = [],
      cents = 500,
      isGifted = false,
      isFreeTrial = false,
    } = member;
    const all: Record<string, unknown> = {
      patron_status: status,
      currently_entitled_amount_cents: cents,
      last_charge_status: status === 'declined_patron' ? 'Declined' : status === null ? null : 'Paid',
      last_charge_date: member.lastChargeDate ?? null,
      next_charge_date: null,
      pledge_cadence: 1,
      is_gifted: isGifted,
      is_free_trial: isFreeTrial,
    };
    const shown = this.trouble === 'incomplete' ? [] : fields;
    return {
      type: 'member',
      id: idOf(member),
      attributes: Object.fromEntries(Object.entries(all).filter(([name]) => shown.includes(name))),
      relationships: {
        campaign: { data: { type: 'campaign', id: campaign } },
        user: { data: { type: 'user', id: user } },
        currently_entitled_tiers: { data: tiers.map((id) => ({ type: 'tier', id })) },
      },
    };
  }
}

/** What a webhook holds: all of them. */
const MEMBER_FIELDS = [
  'patron_status',
  'currently_entitled_amount_cents',
  'last_charge_status',
  'last_charge_date',
  'next_charge_date',
  'pledge_cadence',
  'is_gifted',
  'is_free_trial',
];

const idOf = ({ user, campaign = CAMPAIGN }: FakeMember): string => `member-${campaign}-${user}`;

const failure = (detail: string, more: object = {}) => ({
  errors: [{ code: 1, title: detail, detail, status: '', ...more }],
});

function redirectOf(authorize: URLSearchParams, answer: Record<string, string>): string {
  const back = new URL(authorize.get('redirect_uri') ?? '');
  for (const [name, value] of Object.entries({ ...answer, state: authorize.get('state') ?? '' })) {
    back.searchParams.set(name, value);
  }
  return back.href;
}

function json(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/vnd.api+json' }).end(JSON.stringify(body));
}
