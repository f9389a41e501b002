import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import type { OwnerNotice } from '../src/contracts/events.js';
import type { KeyDto } from '../src/auth/dto/key.dto.js';
import { eventually } from './support/eventually.js';
import type { FakeMember, FakePatreon, Trouble } from './support/fake-patreon.js';
import { PatreonBrowser } from './support/patreon-browser.js';
import { ownerOf, PATRON_PERMISSIONS, PatronStation, planOf } from './support/patron-station.js';
import type { Station } from './support/station.js';
import { databaseFiles } from './support/traces.js';

const PLANS = [
  planOf('small', ['100'], { runningApps: 1, keys: 2 }),
  planOf('large', ['200', '201'], { keys: 5 }, 'Large & more'),
];
const ELSEWHERE = { campaign: '9999', status: 'active_patron', tiers: ['200'] };
const DAY_MS = 24 * 60 * 60 * 1000;
const daysAgo = (days: number): string => new Date(Date.now() - days * DAY_MS).toISOString();

let kit: PatronStation;
let station: Station;
let patreon: FakePatreon;

async function start(env: Record<string, string> = {}): Promise<void> {
  kit = await PatronStation.start(PLANS, env);
  ({ station, patreon } = kit);
}
const end = () => kit?.close();

describe('Signing in with Patreon', () => {
  beforeAll(() => start());
  afterAll(end);

  it('leads to Patreon and back, and shows the key once, with what the plan allows', async () => {
    const user = kit.member({ name: 'Ada <b>', tiers: ['201', '999'] });
    const browser = new PatreonBrowser(station);
    const authorize = new URL(await browser.begin());
    expect(Object.fromEntries(authorize.searchParams)).toMatchObject({
      scope: 'identity',
      redirect_uri: `${station.url}/auth/patreon/callback`,
      state: expect.stringMatching(/^[\w-]{43}$/) as string,
    });
    const back = patreon.allow(authorize.href, user);
    const { status, type, text } = await browser.open(back);
    expect([status, type]).toEqual([200, 'text/html; charset=utf-8']);
    expect(text).toContain('Ada &#60;b&#62;');
    expect(text).toContain('Large &#38; more');
    expect(text).toContain('It allows: read, clone, install');
    const key = /dock_[\w-]{43}/.exec(text)?.[0] ?? '';
    expect(await kit.me(key)).toMatchObject({ owner: ownerOf(user), admin: false, plan: 'large' });
    // The same answer again is another's: the code was used.
    const again = await browser.open(back);
    expect([again.status, again.text]).toEqual([400, expect.stringContaining('expired, or was used already')]);
    expect(await kit.me(key)).toMatchObject({ plan: 'large' });
  });

  it('is in the audit log', async () => {
    const user = kit.member();
    await kit.signIn(user);
    const { body } = await station.api<{ records: object[] }>('GET', `/audit?owner=${ownerOf(user)}`);
    expect(body.result.records).toMatchObject([
      { action: 'sign-in', outcome: 'succeeded', door: 'rest', address: '127.0.0.1' },
    ]);
  });

  it('again gives another key in place of the one before, whose sockets are closed, and leaves further keys alone', async () => {
    const user = kit.member();
    const first = await kit.signIn(user);
    const made = await station.api<KeyDto>('POST', '/auth/keys', { name: 'agent' }, { key: first });
    expect([made.status, made.body.result.scopes]).toEqual([201, PATRON_PERMISSIONS.filter((one) => one !== 'keys')]);
    const socket = await station.socket({ apiKey: first });
    const closed = new Promise((resolve) => socket.once('disconnect', resolve));
    const second = await kit.signIn(user);
    await closed;
    expect((await station.api('GET', '/auth/me', undefined, { key: first })).status).toBe(401);
    expect(await kit.me(String(made.body.result.key))).toMatchObject({ owner: ownerOf(user) });
    const { body } = await station.api<{ keys: KeyDto[] }>('GET', '/auth/keys', undefined, { key: second });
    expect(body.result.keys.map(({ name }) => name).toSorted()).toEqual(['Patreon', 'agent']);
  });

  it('gives a key that makes, lists and revokes further keys, of its own and within the plan', async () => {
    const key = await kit.signIn(kit.member());
    const other = await kit.signIn(kit.member());
    const ask = <R>(method: string, path: string, body?: object, as = key) =>
      station.api<R>(method, path, body, { key: as });
    const read = await ask<KeyDto>('POST', '/auth/keys', { name: 'reader', scopes: ['read'] });
    expect(read.status).toBe(201);
    const reader = String(read.body.result.key);
    for (const [body, code] of [
      [{ name: 'x', owner: 'alice' }, 'FORBIDDEN'],
      [{ name: 'x', admin: true }, 'FORBIDDEN'],
      [{ name: 'x', scopes: ['keys'] }, 'FORBIDDEN'],
    ] as const) {
      expect((await ask('POST', '/auth/keys', body)).body.code).toBe(code);
    }
    expect((await ask('POST', '/auth/keys', { name: 'x' }, reader)).body.code).toBe('FORBIDDEN');
    const asked = ['second', 'third', 'fourth'].map((name) => ask('POST', '/auth/keys', { name }));
    const answers = await Promise.all(asked); // at once: one place is left
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([201, 403, 403]);
    expect(answers.find(({ status }) => status === 403)?.body).toMatchObject({
      code: 'PLAN_LIMIT',
      context: { quota: 'keys', limit: 2, use: 2, raisedBy: 'large' },
    });
    const { id } = read.body.result;
    expect((await ask('DELETE', `/auth/keys/${id}`, undefined, other)).body.code).toBe('KEY_NOT_FOUND');
    expect((await ask('DELETE', `/auth/keys/${id}`)).status).toBe(200);
    expect((await ask('GET', '/auth/me', undefined, reader)).status).toBe(401);
    const listed = (await ask<{ keys: KeyDto[] }>('GET', '/auth/keys')).body.result.keys;
    expect(new Set(listed.map(({ owner }) => owner)).size).toBe(1);
  });

  it.each<[string, (browser: PatreonBrowser) => Promise<string>, number, string]>([
    ['is declined there', async (browser) => patreon.decline(await browser.begin()), 403, 'SIGN_IN_DECLINED'],
    [
      'comes back with a code that Patreon does not know',
      async (browser) => patreon.allow(await browser.begin(), kit.member()).replace(/code=\w+/, 'code=other'),
      ...([400, 'SIGN_IN_FAILED'] as const),
    ],
    [
      'comes back to another browser than the one that has begun',
      async () => patreon.allow(await new PatreonBrowser(station).begin(), kit.member()),
      ...([400, 'SIGN_IN_FAILED'] as const),
    ],
    [
      'is that of somebody who is no member',
      async (browser) => patreon.allow(await browser.begin(), 'nobody'),
      ...([403, 'NOT_A_PATRON'] as const),
    ],
  ])('that %s gives no key, and says why, to a person and to a program', async (_, lead, status, code) => {
    for (const accept of ['text/html', 'application/json']) {
      const browser = new PatreonBrowser(station, accept);
      const page = await browser.open(await lead(browser));
      expect(page.status).toBe(status);
      expect(page.text).not.toContain('dock_');
      if (accept === 'text/html') expect(page.text).toContain('Sign in again');
      else expect(JSON.parse(page.text)).toMatchObject({ code, suggestion: expect.any(String) as string });
    }
  });

  it.each<[string, Partial<FakeMember>, string]>([
    ['active', {}, 'small'],
    ['active, of two tiers', { tiers: ['100', '200'] }, 'large'],
    ['active, entitled to nothing in cents', { cents: 0, tiers: ['200'] }, 'large'],
    ['active, of a tier that no plan names', { tiers: ['555'] }, 'small'],
    ['active, of no tier', { tiers: [] }, 'small'],
    ['declined yesterday', { status: 'declined_patron', lastChargeDate: daysAgo(1) }, 'small'],
    ['declined eight days ago', { status: 'declined_patron', lastChargeDate: daysAgo(8) }, 'NOT_A_PATRON'],
    ['former', { status: 'former_patron' }, 'NOT_A_PATRON'],
    ['free, or has never pledged', { status: null, tiers: [] }, 'NOT_A_PATRON'],
    ['free, of a free tier', { status: null, tiers: ['100'], cents: 0 }, 'NOT_A_PATRON'],
    ['of a status that is new', { status: 'paused' }, 'NOT_A_PATRON'],
    ['a gift', { status: null, isGifted: true }, 'small'],
    ['a free trial', { status: null, isFreeTrial: true }, 'NOT_A_PATRON'],
    ['in another campaign', { campaign: '9999' }, 'NOT_A_PATRON'],
    ['one of two, of another tier elsewhere', { elsewhere: [ELSEWHERE] }, 'small'],
    ['former, of two', { status: 'former_patron', elsewhere: [ELSEWHERE] }, 'NOT_A_PATRON'],
  ])('with a membership that is %s', async (_, facts, expected) => {
    patreon.earlierScopes = 'identity.memberships'; // so that Patreon names all campaigns
    const answer = await kit.signIn(kit.member(facts)).catch(String);
    if (expected === 'NOT_A_PATRON') expect(answer).toContain(expected);
    else expect((await kit.me(answer)).plan).toBe(expected);
  });

  it('keeps what Patreon has given the station where nobody can read it', async () => {
    const key = await kit.signIn(kit.member());
    const bytes = databaseFiles(station)
      .map((file) => readFileSync(file, 'latin1'))
      .join('');
    expect(bytes).toContain('patrons');
    expect(bytes).not.toContain(key);
    for (const token of patreon.tokens()) expect(bytes + station.output).not.toContain(token);
  });

  it('says of a tier that no plan names in the log, and to the administrator who the patrons are', async () => {
    const user = kit.member({ name: 'Grace', tiers: ['777'] });
    await kit.signIn(user);
    expect(station.output).toContain(`${ownerOf(user)} has a tier that no plan names (777)`);
    const { body } = await station.api<{ owners: object[] }>('GET', `/auth/owners?owner=${ownerOf(user)}&phase=active`);
    expect(body.result.owners[0]).toMatchObject({
      plan: 'small',
      patron: { name: 'Grace', patronStatus: 'active_patron', tierIds: ['777'], phase: 'active', isUnmapped: true },
    });
  });
});

describe('A webhook', () => {
  beforeAll(() => start({ PATREON_CHECK_MINUTES: '600' }));
  afterAll(end);

  it('makes the station ask what has changed: a plan that lapses, and one that comes back', async () => {
    const user = kit.member();
    const key = await kit.signIn(user);
    const repoId = await kit.clone(key);
    const socket = await station.socket({ apiKey: key });
    const notices: OwnerNotice[] = [];
    socket.on('owner-notice', (notice: OwnerNotice) => void notices.push(notice));

    patreon.change(user, { status: 'former_patron', tiers: [] });
    expect(await kit.hook(user)).toBe(204);
    await kit.becomes(key, 'lapsed');
    const { permissions, notice } = await kit.me(key);
    expect(permissions).toEqual(['read', 'stop', 'unload', 'keys']);
    expect(notice).toMatchObject({ code: 'PLAN_LAPSED', plan: 'small' });
    expect((notice?.appsStopAt ?? 0) - Date.now()).toBeGreaterThan(6 * DAY_MS);
    expect((notice?.unloadAt ?? 0) - Date.now()).toBeGreaterThan(29 * DAY_MS);
    const refused = await station.api('POST', `/repo/${repoId}/run`, {}, { key });
    expect([refused.status, refused.body]).toMatchObject([
      403,
      { code: 'PLAN_LAPSED', suggestion: expect.stringContaining(`${station.url}/auth/patreon`) as string },
    ]);
    for (const [method, path] of [
      ['GET', `/repo/${repoId}`],
      ['GET', `/repo/${repoId}/logs?source=clone`],
      ['POST', `/repo/${repoId}/stop`],
    ] as const) {
      expect((await station.api(method, path, method === 'POST' ? {} : undefined, { key })).status).toBe(200);
    }
    expect((await station.api('POST', '/auth/keys', { name: 'x' }, { key })).body.code).toBe('PLAN_LAPSED');

    patreon.change(user, { status: 'active_patron', tiers: ['200'] });
    expect(await kit.hook(user)).toBe(204);
    await kit.becomes(key, 'active');
    const { plan, notice: none } = await kit.me(key);
    expect([plan, none]).toEqual(['large', undefined]);
    await eventually('both were told', () => notices.length === 2);
    expect(notices.map(({ code }) => code)).toEqual(['PLAN_LAPSED', 'PLAN_RESTORED']);
    expect((await station.api('DELETE', `/repo/${repoId}`, undefined, { key })).status).toBe(200);
  });

  it('that is late or sent again resurrects nobody, and takes nothing from anybody', async () => {
    const [gone, here] = [kit.member(), kit.member()];
    const keys = [await kit.signIn(gone), await kit.signIn(here)] as const;
    patreon.change(gone, { status: 'former_patron' });
    await kit.hook(gone);
    await kit.becomes(keys[0], 'lapsed');
    for (const [user, says] of [
      [gone, { status: 'active_patron' }],
      [here, { status: 'former_patron' }],
    ] as const) {
      const hookedAt = Date.now();
      expect(await kit.hook(user, says)).toBe(204);
      await eventually('Patreon was asked, and its answer taken in', async () => {
        const path = `/auth/owners?owner=${ownerOf(user)}`;
        const { body } = await station.api<{ owners: { patron: { confirmedAt: number } }[] }>('GET', path);
        return Number(body.result.owners[0]?.patron.confirmedAt) >= hookedAt;
      });
    }
    expect((await kit.me(keys[0])).permissions).not.toContain('clone');
    expect((await kit.me(keys[1])).permissions).toContain('clone');
  });

  it('about another campaign, about somebody unknown, or about something else is taken, and nothing comes of it', async () => {
    const user = kit.member();
    await kit.signIn(user);
    const asked = patreon.requests.length;
    const post_ = JSON.stringify({ data: { type: 'post', id: '1', attributes: {} } });
    expect(await kit.hook(user, { campaign: '9999' })).toBe(204);
    expect(await kit.hook('31337', { status: 'active_patron', campaign: '4242' })).toBe(204);
    expect(await kit.post(post_, { 'x-patreon-signature': patreon.sign(post_) })).toBe(204);
    expect(patreon.requests.length).toBe(asked);
  });

  it('that breaks off is nothing that the log has to tell', async () => {
    const socket = connect(Number(new URL(station.url).port), '127.0.0.1');
    socket.write('POST /auth/patreon/webhook HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf');
    await once(socket, 'connect');
    socket.destroy();
    await once(socket, 'close');
    expect(await kit.post('{}', {})).toBe(401);
    expect(station.output).not.toContain('failed unexpectedly');
  });

  const text = '{ "data": {"type":"post","id":"ü","id":"☃"} ,\n "x": 1.0 }';
  it.each<[string, () => [string | Buffer, Record<string, string>], number]>([
    ['signed, whatever its spaces and letters', () => [text, { 'x-patreon-signature': patreon.sign(text) }], 204],
    ['signed in capitals', () => [text, { 'x-patreon-signature': patreon.sign(text).toUpperCase() }], 204],
    ['signed with another secret', () => [text, { 'x-patreon-signature': patreon.sign(text, 'other') }], 401],
    ['without a signature', () => [text, {}], 401],
    ['changed by one space', () => [`${text} `, { 'x-patreon-signature': patreon.sign(text) }], 401],
    ['with a signature that is too short', () => [text, { 'x-patreon-signature': 'abc' }], 401],
    ['with one that is none', () => [text, { 'x-patreon-signature': 'z'.repeat(32) }], 401],
    ['signed, and no JSON', () => ['hello', { 'x-patreon-signature': patreon.sign('hello') }], 400],
    ['too large', () => [Buffer.alloc(5_000_000, 0x20), { 'x-patreon-signature': '0'.repeat(32) }], 400],
  ])('that is %s', async (_, make, status) => {
    expect(await kit.post(...make())).toBe(status);
  });
});

describe('When Patreon has trouble', () => {
  beforeAll(() => start({ PATREON_CHECK_MINUTES: '0' }));
  afterAll(end);
  afterEach(() => {
    patreon.trouble = 'none';
  });

  it.each<Trouble>(['down', 'html', 'silent', 'blank', 'incomplete'])(
    '(%s) nobody loses a plan, and nobody waits; who is not known gets no key',
    async (trouble) => {
      const key = await kit.signIn(kit.member());
      const stranger = kit.member();
      const browser = new PatreonBrowser(station, 'application/json');
      patreon.trouble = trouble;
      let startedAt = performance.now();
      for (let time = 0; time < 3; time += 1) expect((await kit.me(key)).permissions).toContain('clone');
      expect(performance.now() - startedAt).toBeLessThan(3_000);
      const back = patreon.allow(await browser.begin(), stranger);
      startedAt = performance.now();
      const { text } = await browser.open(back);
      expect(text).toContain(trouble === 'blank' ? 'NOT_A_PATRON' : 'PATREON_UNAVAILABLE');
      expect(performance.now() - startedAt).toBeLessThan(3_000);
      const health = await station.api('GET', '/health/ready', undefined, { key: null });
      expect(health.status).toBe(200);
    },
    20_000,
  );

  it('(it does not accept the client) a sign-in says that this is not its fault, and the log what to check', async () => {
    patreon.trouble = 'bad-client';
    const { status, text, retryAfter } = await new PatreonBrowser(station).signIn(kit.member());
    expect([status, text]).toEqual([503, expect.stringContaining('Tell the administrator')]);
    expect(retryAfter).toMatch(/^\d+$/);
    expect(station.output).toContain('check PATREON_CLIENT_ID and PATREON_CLIENT_SECRET');
  });

  it('(it names a membership and leaves it out) a sign-in may be tried again', async () => {
    const user = kit.member();
    const memberships = { data: [{ type: 'member', id: `member-4242-${user}` }] };
    patreon.identityBody = JSON.stringify({ data: { type: 'user', id: user, relationships: { memberships } } });
    await expect(kit.signIn(user)).rejects.toThrow('PATREON_UNAVAILABLE');
    patreon.identityBody = undefined;
    await kit.signIn(user);
  });

  it('its refresh tokens are used once each, kept before they are used, and kept when the station starts again', async () => {
    const user = kit.member();
    const key = await kit.signIn(user);
    for (const restarts of [false, true]) {
      if (restarts) await station.restart();
      patreon.expireTokens();
      patreon.change(user, { tiers: restarts ? ['100'] : ['200'] });
      await Promise.all(Array.from({ length: 10 }, () => kit.me(key)));
      await eventually('the plan has changed', async () => (await kit.me(key)).plan === (restarts ? 'small' : 'large'));
    }
  });

  it.each<Trouble>(['too-many', 'too-many-in-body', 'too-many-in-both'])(
    'as it wants to be asked less (%s) it is left alone',
    async (trouble) => {
      const key = await kit.signIn(kit.member());
      patreon.trouble = trouble;
      patreon.retryAfterSeconds = 2;
      await kit.me(key);
      await eventually('it was asked', () => patreon.requests.length > 0);
      const asked = patreon.requests.length;
      for (let time = 0; time < 5; time += 1) expect((await kit.me(key)).plan).toBe('small');
      expect(patreon.requests.length).toBeLessThanOrEqual(asked + 1);
      patreon.trouble = 'none';
      await eventually(
        'it is asked again',
        async () => {
          await kit.me(key);
          return patreon.requests.length > asked + 1;
        },
        10_000,
      );
    },
    20_000,
  );
});

describe('When Patreon wants to be asked less, and does not say until when', () => {
  beforeAll(() => start({ PATREON_CHECK_MINUTES: '0' }));
  afterAll(end);

  it('it is left alone for a while, by sign-ins as well', async () => {
    const key = await kit.signIn(kit.member());
    patreon.trouble = 'too-many-untimed';
    const asked = patreon.requests.length;
    await kit.me(key);
    await eventually('it was asked', () => patreon.requests.length > asked);
    patreon.trouble = 'none';
    for (let time = 0; time < 5; time += 1) expect((await kit.me(key)).plan).toBe('small');
    await expect(kit.signIn(kit.member())).rejects.toThrow('PATREON_UNAVAILABLE');
    expect(patreon.requests.length).toBe(asked + 1);
  });
});

describe('However many requests there are', () => {
  beforeAll(() => start());
  afterAll(end);

  it('Patreon is asked about each patron once in PATREON_CHECK_MINUTES', async () => {
    const key = await kit.signIn(kit.member());
    const asked = patreon.asked('identity');
    await Promise.all(Array.from({ length: 100 }, () => kit.me(key)));
    expect(patreon.asked('identity')).toBe(asked);
  });
});
