import { createHmac, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  CAMPAIGN,
  identityDocument,
  idOf,
  isOfCampaign,
  memberResource,
  wantedOf,
  WHOLE,
  type FakeMember,
  type Wanted,
} from './fake-patreon-documents.js';

export type { FakeMember } from './fake-patreon-documents.js';

/** How it misbehaves, until told otherwise. */
export type Trouble =
  | 'none'
  | 'down'
  | 'html'
  | 'silent'
  | 'too-many'
  | 'too-many-in-body'
  /** A second in the header, and the time that is meant in the body. */
  | 'too-many-in-both'
  /** Without a word on when to come back. */
  | 'too-many-untimed'
  /** Does not accept the client's secret. */
  | 'bad-client'
  /** Answers 200, and says nothing. */
  | 'blank'
  /** Leaves out the fields that matter. */
  | 'incomplete';

/** The user whose browser it is, at Patreon. */
export const SESSION_COOKIE = 'patreon-session';

interface Grant {
  user: string;
  scope: string;
}

/** An answer that is made, and not sent before it is let go. */
export interface Held {
  /** Whether it was asked for. */
  isMade: boolean;
  letGo(): void;
}

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
  /** Scopes that users have allowed the client besides those that it asks for now. */
  earlierScopes = '';
  /** Whether its last page of members leads to the first one. */
  endlessList = false;
  /** Body of the next answers about who somebody is, in place of a true one. */
  identityBody: string | undefined;
  private held: (Held & { released: Promise<void> }) | undefined;
  private readonly codes = new Map<string, Grant & { redirectUri: string }>();
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

  /** They are in no list any more, and their membership is not found. */
  leave(user: string): void {
    this.members.delete(user);
  }

  /** Holds the next answer about who somebody is. */
  holdIdentity(): Held {
    let letGo = (): void => undefined;
    const released = new Promise<void>((resolve) => (letGo = resolve));
    this.held = { isMade: false, letGo, released };
    return this.held;
  }

  /** What the user's browser does at the page that the station has sent it to: allows it, and is sent back there. */
  allow(authorizeUrl: string, user: string): string {
    const { searchParams } = this.authorizePage(authorizeUrl);
    const code = randomBytes(16).toString('hex');
    const scope = `${searchParams.get('scope')} ${this.earlierScopes}`;
    this.codes.set(code, { user, scope, redirectUri: searchParams.get('redirect_uri') ?? '' });
    return redirectOf(searchParams, { code });
  }

  decline(authorizeUrl: string): string {
    return redirectOf(this.authorizePage(authorizeUrl).searchParams, { error: 'access_denied' });
  }

  /** An event as Patreon sends it, signed; `changes` are what it says and what is not true (any more). */
  webhook(user: string, changes: Partial<FakeMember> = {}): { body: string; signature: string } {
    const member = this.members.get(user) ?? { user, status: null };
    const body = JSON.stringify({ data: memberResource({ ...member, ...changes }, WHOLE) });
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
    const isOurs =
      searchParams.get('client_id') === this.clientId &&
      searchParams.get('response_type') === 'code' &&
      searchParams.get('redirect_uri')?.endsWith('/auth/patreon/callback');
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
    if (url.pathname === '/oauth2/authorize') return this.authorize(url, request, response);
    this.requests.push(`${request.method} ${url.pathname}`);
    if (!request.headers['user-agent']?.includes('docking-station'))
      return json(response, 403, failure('no user agent'));
    if (this.trouble !== 'none' && this.inTrouble(response)) return;
    if (url.pathname === '/api/oauth2/token') return this.token(new URLSearchParams(body), response);
    const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '';
    const grant = this.accessTokens.get(token);
    if (!grant || grant.expiresAt <= Date.now()) return json(response, 401, failure('Unauthorized'));
    if (url.pathname === '/api/oauth2/v2/identity') return this.identify(url, grant, response);
    this.read(url, grant, response);
  }

  /** As the user who is signed in there, which a cookie says, and who allows everything. */
  private authorize(url: URL, { headers }: IncomingMessage, response: ServerResponse): void {
    const user = new RegExp(`${SESSION_COOKIE}=([^;]+)`).exec(headers.cookie ?? '')?.[1];
    if (user === undefined) return void response.writeHead(302, { location: '/login' }).end();
    try {
      response.writeHead(302, { location: this.allow(url.href, user) }).end();
    } catch (error) {
      response.writeHead(400, { 'content-type': 'text/plain' }).end(String(error));
    }
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
    if (trouble === 'too-many-in-both') {
      response.setHeader('retry-after', '1');
      json(response, 429, failure('Too Many Requests', { retry_after_seconds: retryAfterSeconds }));
    }
    if (trouble === 'too-many-untimed') json(response, 429, failure('Too Many Requests'));
    return !['blank', 'incomplete', 'bad-client'].includes(trouble);
  }

  private token(form: URLSearchParams, response: ServerResponse): void {
    const isClient =
      this.trouble !== 'bad-client' &&
      form.get('client_id') === this.clientId &&
      form.get('client_secret') === this.clientSecret;
    if (!isClient) return json(response, 401, { error: 'invalid_client' });
    const grant = form.get('grant_type') === 'refresh_token' ? this.takeRefreshToken(form) : this.takeCode(form);
    if (!grant) return json(response, 400, { error: 'invalid_grant' });
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

  /** Good for one use. */
  private takeRefreshToken(form: URLSearchParams): Grant | undefined {
    const given = form.get('refresh_token') ?? '';
    const grant = this.refreshTokens.get(given);
    this.refreshTokens.delete(given);
    return grant;
  }

  /** Good for one use, and for the address that it was sent to. */
  private takeCode(form: URLSearchParams): Grant | undefined {
    const given = form.get('code') ?? '';
    const grant = this.codes.get(given);
    this.codes.delete(given);
    return grant?.redirectUri === form.get('redirect_uri') ? grant : undefined;
  }

  private async identify(url: URL, grant: Grant, response: ServerResponse): Promise<void> {
    const body = this.identityBody ?? JSON.stringify(this.identity(url, grant));
    const { held } = this;
    this.held = undefined;
    if (held) {
      held.isMade = true;
      await held.released;
    }
    response.writeHead(200, { 'content-type': 'application/vnd.api+json' }).end(body);
  }

  private read(url: URL, { scope }: Grant, response: ServerResponse): void {
    const wanted = this.wantedOf(url);
    if (!scope.includes('campaigns.members')) return json(response, 403, failure('Forbidden'));
    const memberId = /^\/api\/oauth2\/v2\/members\/(.+)$/.exec(url.pathname)?.[1];
    if (memberId !== undefined) {
      const member = [...this.members.values()].find((one) => idOf(one) === memberId);
      if (this.trouble === 'blank') return json(response, 200, { data: null });
      if (!member) return json(response, 404, failure('Not Found'));
      return json(response, 200, { data: memberResource(member, wanted) });
    }
    if (url.pathname === `/api/oauth2/v2/campaigns/${CAMPAIGN}/members`) return this.list(url, wanted, response);
    json(response, 404, failure('Not Found'));
  }

  private identity(url: URL, { user, scope }: Grant): object {
    const member = this.trouble === 'blank' ? undefined : this.members.get(user);
    return identityDocument(user, member, scope.split(' '), this.wantedOf(url, 'memberships'));
  }

  private wantedOf(url: URL, path?: string): Wanted {
    const wanted = wantedOf(url, path);
    return this.trouble === 'incomplete' ? { ...wanted, fields: [] } : wanted;
  }

  private list(url: URL, wanted: Wanted, response: ServerResponse): void {
    const members = this.trouble === 'blank' ? [] : [...this.members.values()].filter(isOfCampaign);
    const from = Number(url.searchParams.get('page[cursor]') ?? 0);
    const page = members.slice(from, from + PAGE);
    const after = from + PAGE < members.length ? String(from + PAGE) : null;
    const next = this.endlessList ? (after ?? '0') : after;
    json(response, 200, {
      data: page.map((member) => memberResource(member, wanted)),
      meta: { pagination: { total: members.length, cursors: { next } } },
    });
  }
}

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
