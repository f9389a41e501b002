import { once } from 'node:events';
import { readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { request, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { packageJson } from './support/fixtures.js';
import { GitServer } from './support/git-server.js';
import { Station } from './support/station.js';
import { databaseFiles } from './support/traces.js';

/** What callers are told does not depend on a sandbox; without one an operation takes half the time. */
const SANDBOX = 'none';

interface Key {
  id: string;
  key?: string;
  prefix: string;
  owner: string;
  scopes: string[];
  lastUsedAt: number | null;
}

/** Exactly these headers, in this order: fetch would tidy them. */
async function statusWith(url: string, headers: string[]): Promise<number | undefined> {
  const { host } = new URL(url);
  const sent = request(url, { headers: ['Host', host, ...headers, 'Connection', 'close'] });
  sent.end();
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  response.resume();
  return response.statusCode;
}

describe('API keys', () => {
  let git: GitServer;
  let station: Station;

  beforeAll(async () => {
    git = await GitServer.start();
    station = await Station.start({ allowedHosts: [git.host], env: { SANDBOX } });
  });
  afterAll(async () => {
    await station.close();
    await git.close();
  });

  const me = (headers: string[]) => statusWith(`${station.url}/auth/me`, headers);

  it('are asked for by every route but health and the sign-in', async () => {
    const { body } = await station.api('GET', '/docs-json', undefined, { key: null });
    const { paths } = body as unknown as { paths: Record<string, Record<string, { security?: unknown[] }>> };
    const open: string[] = [];
    for (const [path, methods] of Object.entries(paths)) {
      for (const [method, { security }] of Object.entries(methods)) {
        const { status } = await station.api(method.toUpperCase(), path.replaceAll(/\{\w+\}/g, 'x'), undefined, {
          key: null,
        });
        if (status === 401) expect({ path, method, security }).toMatchObject({ security: [{ bearer: [] }] });
        else open.push(`${method} ${path}`);
      }
    }
    expect(open.toSorted()).toEqual([
      'get /auth/patreon',
      'get /auth/patreon/callback',
      'get /health',
      'get /health/live',
      'get /health/ready',
      'post /auth/patreon/webhook',
    ]);
  });

  it('are refused in every shape but their own, and never with a 500', async () => {
    const key = station.adminKey;
    const refused = [
      [],
      ['Authorization', ''],
      ['Authorization', 'Bearer'],
      ['Authorization', 'Bearer x'],
      ['Authorization', `Bearer ${key}x`],
      ['Authorization', `Bearer ${'x'.repeat(10_000)}`],
      ['Authorization', `Bearer ${Buffer.from('€'.repeat(key.length)).toString('latin1')}`],
      ['Authorization', `Basic ${key}`],
      ['Authorization', key],
      ['X-Api-Key', key],
      ['Authorization', `Bearer ${key}`, 'Authorization', `Bearer ${key}`],
    ];
    for (const headers of refused) expect([headers, await me(headers)]).toEqual([headers, 401]);
    const query = `${station.url}/auth/me?apiKey=${key}&apiKey=${key}&access_token=${key}`;
    expect(await statusWith(query, [])).toBe(401);
    expect(station.output).not.toContain(key);
  });

  it('are asked for before a body is read', async () => {
    for (const body of ['{"half": ', 'x'.repeat(1_200_000), '['.repeat(400_000)]) {
      for (const authorization of ['', 'Bearer dock_wrong']) {
        const headers = { 'content-type': 'application/json', ...(authorization && { authorization }) };
        const { status } = await fetch(`${station.url}/repo/clone`, { method: 'POST', headers, body });
        expect(status).toBe(401);
      }
    }
  });

  it('are taken whatever the letter case of Bearer, and with a space behind', async () => {
    for (const value of [`Bearer ${station.adminKey}`, `bearer ${station.adminKey}`, `BEARER ${station.adminKey} `]) {
      expect([value, await me(['authorization', value])]).toEqual([value, 200]);
    }
  });

  it('are shown once, listed without themselves, and kept as a digest', async () => {
    const { status, body } = await station.api<Key>('POST', '/auth/keys', { name: 'laptop', owner: 'alice' });
    expect(status).toBe(201);
    const key = String(body.result.key);
    expect(key).toMatch(/^dock_[\w-]{43}$/);
    expect(key.startsWith(body.result.prefix)).toBe(true);

    await station.api('GET', '/auth/me', undefined, { key });
    const { body: listed } = await station.api<{ keys: Key[] }>('GET', '/auth/keys');
    const mine = listed.result.keys.find(({ id }) => id === body.result.id);
    expect(mine).toMatchObject({ owner: 'alice', lastUsedAt: expect.any(Number) as number });
    expect(JSON.stringify(listed)).not.toContain(key);
    for (const name of readdirSync(station.dataDir, { withFileTypes: true })) {
      if (name.isFile()) expect(readFileSync(join(station.dataDir, name.name), 'latin1')).not.toContain(key);
    }
  });

  it('are made once, and revoked once, however often it is asked for with the same Idempotency-Key', async () => {
    const wanted = { name: 'once', owner: 'carol' };
    const make = (body: object, key = 'make') =>
      station.api<Key>('POST', '/auth/keys', body, { headers: { 'idempotency-key': key } });
    const [first, second] = await Promise.all([make(wanted), make(wanted)]);
    await station.restart();
    const later = await make(wanted);
    expect([first.status, second.status, later.status]).toEqual([201, 201, 201]);
    expect([second.body, later.body]).toEqual([first.body, first.body]);
    const { id, key = '' } = first.body.result;
    expect((await station.api('GET', '/auth/me', undefined, { key })).status).toBe(200);
    expect((await make({ ...wanted, name: 'other' })).body.code).toBe('IDEMPOTENCY_KEY_REUSED');
    for (const file of readdirSync(station.dataDir, { withFileTypes: true })) {
      if (file.isFile()) expect(readFileSync(join(station.dataDir, file.name), 'latin1')).not.toContain(key);
    }

    const revoke = () =>
      station.api<Key>('DELETE', `/auth/keys/${id}`, undefined, { headers: { 'idempotency-key': 'revoke' } });
    const revoked = await revoke();
    expect([revoked.status, (await revoke()).body]).toEqual([200, revoked.body]);
    expect((await station.api('DELETE', `/auth/keys/${id}`)).body.code).toBe('KEY_NOT_FOUND');
  });

  it('end at once when they are revoked', async () => {
    const { body } = await station.api<Key>('POST', '/auth/keys', { name: 'to be revoked', owner: 'alice' });
    const { id, key = '' } = body.result;
    const socket = await station.socket({ apiKey: key });
    const closed = new Promise((resolve) => socket.once('disconnect', resolve));
    expect((await station.api('DELETE', `/auth/keys/${id}`)).status).toBe(200);
    expect((await station.api('GET', '/auth/me', undefined, { key })).status).toBe(401);
    expect(await closed).toMatch(/^transport (close|error)$/); // not a disconnect, after which a client does not come back
    expect((await station.api('DELETE', `/auth/keys/${id}`)).body.code).toBe('KEY_NOT_FOUND');
  });

  it('end when they expire, and so do their sockets', async () => {
    const expiresAt = Date.now() + 1500;
    const key = await station.createKey('alice', { expiresAt });
    const socket = await station.socket({ apiKey: key });
    await new Promise((resolve) => socket.once('disconnect', resolve));
    expect(Date.now()).toBeGreaterThanOrEqual(expiresAt);
    expect((await station.api('GET', '/auth/me', undefined, { key })).status).toBe(401);
  });

  it('permit what their scopes name, and say what is missing', async () => {
    const key = await station.createKey('alice', { scopes: ['read'] });
    expect((await station.api('GET', '/repo/list', undefined, { key })).status).toBe(200);
    const { status, body } = await station.clone('https://example.com/a/b', {}, { key });
    expect([status, body.code, body.context]).toEqual([
      403,
      'FORBIDDEN',
      { permission: 'clone', permissions: ['read'] },
    ]);
    expect(body.operation).toBe('clone');
  });

  it('are administered by administrators only', async () => {
    const key = await station.createKey('alice');
    for (const [method, path] of [
      ['GET', '/auth/keys'],
      ['POST', '/auth/keys'],
      ['DELETE', '/auth/keys/environment'],
    ] as const) {
      const { status } = await station.api(method, path, method === 'POST' ? { name: 'x' } : undefined, { key });
      expect([method, status]).toEqual([method, 403]);
    }
  });

  it.each([
    [{}, 'name: expected text'],
    [{ name: 'x', owner: '../x' }, 'owner: expected letters'],
    [{ name: 'x', owner: 'station' }, 'owner: "station"'],
    [{ name: 'x', expiresAt: 1 }, 'expiresAt: expected a time in the future'],
    [{ name: 'x', scopes: ['fly'] }, 'scopes: expected a list of read, clone'],
    [{ name: 'x', scopes: ['admin'] }, 'scopes: "admin" is for keys with admin: true only'],
    [{ name: 'x', admin: 'yes' }, 'admin: expected true or false, got "yes"'],
    [{ name: 'x', id: 'mine' }, 'id: unknown field'],
  ])('are not made of %j', async (wanted, reason) => {
    const { status, body } = await station.api('POST', '/auth/keys', wanted);
    expect([status, body.code]).toEqual([400, 'BAD_REQUEST']);
    expect(body.detail).toContain(reason);
  });

  it('tell their owner what they may do and what is in use', async () => {
    const key = await station.createKey('counting');
    const { url } = await git.createRepository('counting/one', { files: { 'package.json': packageJson({}) } });
    await station.clone(url, {}, { key });
    const { body } = await station.api('GET', '/auth/me', undefined, { key });
    expect(body.result).toMatchObject({
      owner: 'counting',
      admin: false,
      plan: null,
      use: { repositories: 1, runningApps: 0, operationsAtOnce: 0, queuedOperations: 0 },
    });
  });
});

/** Every route of a repository. */
const routes = (id: string) =>
  [
    ['GET', `/repo/${id}`],
    ['GET', `/repo/${id}/status`],
    ['GET', `/repo/${id}/logs`],
    ['GET', `/repo/${id}/operations`],
    ['PATCH', `/repo/${id}`, { visibility: 'shared' }],
    ['POST', `/repo/${id}/install`],
    ['POST', `/repo/${id}/update`],
    ['POST', `/repo/${id}/run`],
    ['POST', `/repo/${id}/stop`],
    ['DELETE', `/repo/${id}`],
  ] as const;

describe('Owners', () => {
  let git: GitServer;
  let station: Station;
  let alice: { key: string };
  let bob: { key: string };

  beforeAll(async () => {
    git = await GitServer.start();
    station = await Station.start({ allowedHosts: [git.host], env: { SANDBOX } });
    alice = { key: await station.createKey('alice') };
    bob = { key: await station.createKey('bob') };
  });
  afterAll(async () => {
    await station.close();
    await git.close();
  });

  async function dock(name: string, options: object, as: { key: string }) {
    const files = { 'package.json': packageJson({ start: 'node -e "setInterval(() => {}, 1000)"' }) };
    const { url } = await git.createRepository(name, { files });
    const { status, body } = await station.clone(url, options, as);
    expect(status).toBe(201);
    return body.result;
  }

  it('of keys for making keys see and revoke no administrator’s, whoever’s they are', async () => {
    const key = await station.createKey('admin', { scopes: ['read', 'keys'] });
    const { body } = await station.api<{ keys: Key[] }>('GET', '/auth/keys', undefined, { key });
    expect(body.result.keys.map(({ scopes }) => scopes)).toEqual([['read', 'keys']]);
    const revoke = await station.api('DELETE', '/auth/keys/environment', undefined, { key });
    expect([revoke.status, revoke.body.code]).toEqual([404, 'KEY_NOT_FOUND']);
    expect((await station.api('GET', '/auth/me')).status).toBe(200);
    const none = await station.api('POST', '/auth/keys', { name: 'x', scopes: [] });
    expect([none.status, none.body.code]).toEqual([400, 'BAD_REQUEST']);
  });

  it('of administrators’ keys that are narrowed to making keys have no more through these than through any other', async () => {
    const key = await station.createKey('admin', { admin: true, scopes: ['read', 'keys'] });
    const make = (wanted: object) => station.api<Key>('POST', '/auth/keys', { name: 'x', ...wanted }, { key });
    for (const wanted of [{ admin: true }, { owner: 'alice' }, { scopes: ['clone'] }]) {
      expect([wanted, (await make(wanted)).body.code]).toEqual([wanted, 'FORBIDDEN']);
    }
    expect((await make({})).body.result).toMatchObject({ owner: 'admin', scopes: ['read'] });
    const { body } = await station.api<{ keys: Key[] }>('GET', '/auth/keys', undefined, { key });
    expect(body.result.keys.filter(({ owner, scopes }) => owner !== 'admin' || scopes.includes('admin'))).toEqual([]);
    const { body: all } = await station.api<{ keys: Key[] }>('GET', '/auth/keys');
    for (const { id } of all.result.keys.filter(({ owner }) => owner === 'alice' || owner === 'bob')) {
      expect((await station.api('DELETE', `/auth/keys/${id}`, undefined, { key })).body.code).toBe('KEY_NOT_FOUND');
    }
    const environment = await station.api('DELETE', '/auth/keys/environment', undefined, { key });
    expect(environment.body.code).toBe('KEY_NOT_FOUND');
  });

  it('store Git credentials, which clones and updates use and which are never shown again', async () => {
    const auth = { username: 'git', password: 'S3CR3T-of-alice' };
    const files = { 'package.json': packageJson({}) };
    const repository = await git.createRepository('alice/closed', { files, auth });
    const stored = await station.api<{ credentialId: string }>(
      'POST',
      '/auth/credentials',
      { name: 'mine', username: auth.username, token: auth.password },
      alice,
    );
    expect([stored.status, JSON.stringify(stored.body).includes(auth.password)]).toEqual([201, false]);
    const { credentialId } = stored.body.result;
    const credentials = { credentialId };

    expect((await station.clone(repository.url, { credentials }, bob)).body.code).toBe('CREDENTIAL_NOT_FOUND');
    const mixed = { credentials: { credentialId, token: 'x' } };
    expect((await station.clone(repository.url, mixed, alice)).body.code).toBe('BAD_REQUEST');
    const { repoId } = (await station.clone(repository.url, { credentials }, alice)).body;
    const to = await repository.commit({ 'more.txt': 'more' });
    expect((await station.update(repoId, {}, alice)).body.result).toMatchObject({ to });

    const list = await station.api('GET', '/auth/credentials', undefined, alice);
    expect(list.body.result).toMatchObject({ credentials: [{ credentialId, name: 'mine', kind: 'https' }] });
    expect(JSON.stringify(list.body)).not.toContain(auth.password);
    expect((await station.api('GET', '/auth/credentials', undefined, bob)).body.result).toEqual({ credentials: [] });
    const kept = databaseFiles(station).map((file) => readFileSync(file, 'latin1'));
    expect(kept.join('')).not.toContain(auth.password);

    const remove = (as: { key: string }) => station.api('DELETE', `/auth/credentials/${credentialId}`, undefined, as);
    expect((await remove(bob)).body.code).toBe('CREDENTIAL_NOT_FOUND');
    expect((await remove(alice)).status).toBe(200);
    expect((await station.update(repoId, {}, alice)).body.code).toBe('CREDENTIAL_NOT_FOUND');

    const give = (as: { key: string }, body: object) => station.api('PATCH', `/repo/${repoId}`, body, as);
    const others = { username: auth.username, token: auth.password };
    expect((await give(alice, { credentials: others })).status).toBe(200);
    expect((await station.update(repoId, {}, alice)).status).toBe(200);
    expect((await station.api('PATCH', `/repo/${repoId}`, { credentials: others })).body.code).toBe('FORBIDDEN');
    expect((await give(bob, { credentials: others })).body.code).toBe('REPO_NOT_FOUND');
    for (const [body, code] of [
      [{}, 'BAD_REQUEST'],
      [{ credentials: {} }, 'BAD_REQUEST'],
      [{ credentials: { credentialId } }, 'CREDENTIAL_NOT_FOUND'],
    ] as const) {
      expect((await give(alice, body)).body.code).toBe(code);
    }
  });

  it('do not see each other’s private repositories, not even that they exist', async () => {
    const { uid, repoId } = await dock('alice/private', {}, alice);
    for (const id of [uid, repoId]) {
      for (const [method, path, body] of routes(id)) {
        const found = await station.api(method, path, body, bob);
        const unknown = await station.api(method, path.replace(id, 'no-such'), body, bob);
        expect([method, path, found.status, found.body.code]).toEqual([method, path, 404, 'REPO_NOT_FOUND']);
        expect(found.body.detail.replaceAll(id, 'no-such')).toBe(unknown.body.detail);
      }
    }
    const { body } = await station.api('GET', '/repo/list', undefined, bob);
    expect(JSON.stringify(body)).not.toContain(uid);
    const { body: operations } = await station.api('GET', '/operations', undefined, bob);
    expect(JSON.stringify(operations)).not.toContain(uid);
  });

  it('read what is shared, and change none of it', async () => {
    const { uid } = await dock('alice/shared', { visibility: 'shared' }, alice);
    for (const [method, path, body] of routes(uid)) {
      const { status } = await station.api(method, path, body, bob);
      expect([method, path, status]).toEqual([method, path, method === 'GET' ? 200 : 403]);
    }
    await station.api('PATCH', `/repo/${uid}`, { visibility: 'private' }, alice);
    expect((await station.entry(uid, bob)).status).toBe(404);
  });

  /** Follows a log as server-sent events: resolves with its text when the server has ended it. */
  async function follow(path: string, key: string) {
    const headers = { authorization: `Bearer ${key}`, accept: 'text/event-stream' };
    const { status, body } = await fetch(station.url + path, { headers });
    expect(status).toBe(200);
    const chunks = (body as unknown as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
    await chunks.next(); // it has begun
    const rest = async () => {
      while (!(await chunks.next()).done);
    };
    return { ended: rest() };
  }

  it('follow a log no longer than they may read it', async () => {
    const { uid } = await dock('alice/followed', { visibility: 'shared' }, alice);
    const run = { script: 'start', readyTimeoutMs: 0 };
    const { operationId } = (await station.run(uid, run, alice)).body;
    const { body } = await station.api<Key>('POST', '/auth/keys', { name: 'short', owner: 'alice' });
    const { id, key = '' } = body.result;
    const paths = [`/repo/${uid}/logs`, `/operations/${operationId}/logs`];
    const revoked = await Promise.all(paths.map((path) => follow(path, key)));
    const others = await Promise.all(paths.map((path) => follow(path, bob.key)));
    const owners = await follow(`/repo/${uid}/logs`, alice.key);
    await station.api('DELETE', `/auth/keys/${id}`);
    await Promise.all(revoked.map(({ ended }) => ended));
    await station.api('PATCH', `/repo/${uid}`, { visibility: 'private' }, alice);
    await Promise.all(others.map(({ ended }) => ended));
    expect(await Promise.race([owners.ended.then(() => 'ended'), station.entry(uid, alice)])).not.toBe('ended');
    await station.stop(uid, {}, alice);
    await owners.ended;
  });

  it('each have their own repository of a name, in any letter case', async () => {
    const mine = await dock('facebook/react', {}, alice);
    const { url } = await git.createRepository('other/react', { files: { 'package.json': packageJson({}) } });
    const { body } = await station.clone(url, { repoId: 'Facebook-React' }, bob);
    expect([mine.repoId, body.result.repoId]).toEqual(['facebook-react', 'facebook-react']);
    expect((await station.entry('FACEBOOK-react', alice)).body.result.uid).toBe(mine.uid);
    expect((await station.entry(mine.uid.toUpperCase(), alice)).body.result.uid).toBe(mine.uid);
    expect((await station.entry('facebook-react', bob)).body.result.uid).toBe(body.result.uid);

    const ambiguous = await station.entry('facebook-react');
    expect([ambiguous.status, ambiguous.body.code]).toEqual([409, 'AMBIGUOUS_REPO']);
    expect((ambiguous.body.context.uids as string[]).toSorted()).toEqual([mine.uid, body.result.uid].toSorted());
  });

  it('lose no repository to an administrator who says twice that their own of that name be removed', async () => {
    const { repoId, uid } = await dock('alice/kept', {}, alice);
    const own = (await station.clone(`${git.url}/alice/kept.git`)).body;
    expect((await station.unload(repoId)).body.uid).toBe(own.uid);
    const { status, body } = await station.unload(repoId);
    expect([status, body.code, body.context.uids]).toEqual([404, 'REPO_NOT_FOUND', [uid]]);
    expect(body.suggestion).toContain(uid);
    expect((await station.entry(repoId, alice)).status).toBe(200);
    expect((await station.unload(uid)).body.result.unloaded).toBe(true);
  });

  it('see their operations after the repository has gone', async () => {
    const { repoId } = await dock('alice/gone', {}, alice);
    const { body } = await station.unload(repoId, alice);
    expect((await station.operation(body.operationId, alice)).body.result.status).toBe('succeeded');
    expect((await station.operation(body.operationId, bob)).body.code).toBe('OPERATION_NOT_FOUND');
    expect((await station.cancel(body.operationId, bob)).body.code).toBe('OPERATION_NOT_FOUND');
    expect((await station.cancel(body.operationId, alice)).body.code).toBe('ALREADY_FINISHED');
  });
});

describe('The administrator’s key', () => {
  let station: Station;
  const keyFile = () => join(station.dataDir, 'admin-api-key');
  const keyInFile = () => readFileSync(keyFile(), 'utf8').trim();
  const answers = (key: string) => statusWith(`${station.url}/auth/keys`, ['Authorization', `Bearer ${key}`]);

  beforeEach(async () => {
    station = await Station.start({ env: { ADMIN_API_KEY: undefined, SANDBOX } });
  });
  afterEach(() => station.close());

  it('is made at the first start, shown then only, and kept in a file that only the server’s user can read', async () => {
    const key = keyInFile();
    const shown = station.output.split(key).length;
    expect(shown).toBeGreaterThan(1);
    expect(statSync(keyFile()).mode & 0o777).toBe(0o600);
    expect(await answers(key)).toBe(200);
    await station.restart();
    expect(station.output.split(key)).toHaveLength(shown);
    expect(await answers(key)).toBe(200);
  });

  it('is entered again from its file when the database was lost', async () => {
    const key = keyInFile();
    await station.kill('SIGTERM');
    for (const name of readdirSync(station.dataDir).filter((one) => one.startsWith('station.db'))) {
      rmSync(join(station.dataDir, name));
    }
    await station.restart();
    expect(await answers(key)).toBe(200);
  });

  it('does not come back once it has been revoked; another is made where none is left that can administer', async () => {
    const key = keyInFile();
    const narrowed = { name: 'narrowed', admin: true, scopes: ['read', 'keys'] };
    await station.api('POST', '/auth/keys', narrowed, { key });
    const { body } = await station.api<{ keys: Key[] }>('GET', '/auth/keys', undefined, { key });
    await station.api('DELETE', `/auth/keys/${body.result.keys[0]?.id}`, undefined, { key });
    await station.restart();
    expect(await answers(key)).toBe(401);
    expect(await answers(keyInFile())).toBe(200);
  });
});
