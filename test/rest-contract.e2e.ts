import { request } from 'node:http';
import { renameSync } from 'node:fs';
import type { LogLine } from '../src/contracts/log.js';
import type { Operation } from '../src/contracts/shapes.js';
import { eventually } from './support/eventually.js';
import { fixture, packageJson } from './support/fixtures.js';
import { GitServer } from './support/git-server.js';
import { Station } from './support/station.js';

/** What callers are told does not depend on a sandbox; without one an operation takes half the time. */
const SANDBOX = 'none';
const PUBLIC_URL = 'https://station.example/dock';

interface LogPage {
  lines: LogLine[];
  nextCursor: string;
  dropped: number;
}

/** Runs until it is ended, and says so. */
const ENDLESS = { wait: 'node -e "console.log(1); setInterval(() => {}, 1000)"' };

let git: GitServer;
let station: Station;

beforeAll(async () => {
  git = await GitServer.start();
  station = await Station.start({ allowedHosts: [git.host], env: { SANDBOX, PUBLIC_URL } });
});
afterAll(async () => {
  await station.close();
  await git.close();
});

let docked = 0;

async function dock(files: Record<string, string>): Promise<{ repoId: string; uid: string; operationId: string }> {
  const { url } = await git.createRepository(`rest/app${++docked}`, { files });
  const { status, body } = await station.clone(url);
  expect(status).toBe(201);
  return body;
}

let shared: ReturnType<typeof dock> | undefined;
/** For tests that change nothing. */
const sharedRepository = () => (shared ??= dock(fixture('hello')));

/** An operation that goes on until it is cancelled. */
async function begin(repoId: string): Promise<string> {
  const { status, body } = await station.run(
    repoId,
    { script: 'wait', background: false },
    { headers: { prefer: 'respond-async' } },
  );
  expect(status).toBe(202);
  return body.operationId;
}

describe('Waiting', () => {
  it('ends with the outcome by default', async () => {
    const { url } = await git.createRepository('rest/waiting', { files: fixture('hello') });
    const { status, body, headers } = await station.clone(url);
    expect(status).toBe(201);
    expect(body).toMatchObject({
      success: true,
      operation: 'clone',
      repoId: 'rest-waiting',
      result: { state: 'cloned' },
    });
    expect(headers.has('preference-applied')).toBe(false);
    const { body: operation } = await station.operation(body.operationId);
    expect(operation.result).toMatchObject({ status: 'succeeded', uid: body.uid, result: body.result });
  });

  it.each([
    ['respond-async', 'respond-async'],
    ['wait=0', 'wait=0'],
    ['respond-async, wait=1', 'respond-async, wait=1'],
    ['WAIT="1"', 'wait=1'],
  ])('is as long as Prefer: %s says', async (prefer, applied) => {
    const { repoId } = await dock({ 'package.json': packageJson(ENDLESS) });
    const { status, body, headers } = await station.run(
      repoId,
      { script: 'wait', background: false },
      { headers: { prefer } },
    );
    expect(status).toBe(202);
    expect(headers.get('preference-applied')).toBe(applied);
    expect(headers.get('location')).toBe(`/operations/${body.operationId}`);
    expect(body).toMatchObject({ success: true, operation: 'run', repoId, result: { operationId: body.operationId } });
    expect((await station.operation(body.operationId)).status).toBe(200);
    await station.cancel(body.operationId);
  });

  it('that is over tells how the operation stands by then', async () => {
    const { repoId } = await dock({ 'package.json': packageJson(ENDLESS) });
    const options = { script: 'wait', background: false };
    const { status, body } = await station.run(repoId, options, { headers: { prefer: 'wait=5' } });
    expect([status, body.result]).toMatchObject([202, { status: 'running', startedAt: expect.any(Number) as number }]);
    await station.cancel(body.operationId);
  });

  it('is not needed for a status either: its outcome is there for a while', async () => {
    const { repoId, uid } = await sharedRepository();
    const { status, headers, body } = await station.status(repoId, { headers: { prefer: 'respond-async' } });
    expect(status).toBe(202);
    const operation = await eventually('the status has been read', async () => {
      const { body: read } = await station.api<Operation>('GET', String(headers.get('location')));
      return read.result.status === 'succeeded' && read.result;
    });
    expect(operation).toMatchObject({ operation: 'status', uid, result: { state: 'cloned', git: { clean: true } } });
    expect((await station.cancel(body.operationId)).body.code).toBe('ALREADY_FINISHED');
    const bob = await station.createKey('bob');
    expect((await station.operation(body.operationId, { key: bob })).body.code).toBe('OPERATION_NOT_FOUND');
    const history = await station.api('GET', `/repo/${repoId}/operations`);
    expect(JSON.stringify(history.body)).not.toContain(body.operationId);
  });

  it('ends with CANCELLED when somebody cancels, who is answered once the processes are dead', async () => {
    const { repoId } = await dock({ 'package.json': packageJson(ENDLESS) });
    const waiting = station.run(repoId, { script: 'wait', background: false });
    const operationId = await eventually('the run has its record', async () => {
      const { body } = await station.api<{ operations: Operation[] }>('GET', `/repo/${repoId}/operations`);
      return body.result.operations.find(({ operation }) => operation === 'run')?.operationId;
    });
    const cancelled = await station.cancel(operationId);
    expect([cancelled.status, cancelled.body.result.status]).toEqual([200, 'cancelled']);
    const { status, body } = await waiting;
    expect([status, body.code, body.operationId, body.operation]).toEqual([409, 'CANCELLED', operationId, 'run']);
    expect((await station.cancel(operationId)).body.code).toBe('ALREADY_FINISHED');
  });

  it('is for the client to give up: the operation goes on', async () => {
    const { repoId } = await dock({ 'package.json': packageJson(ENDLESS) });
    const url = `${station.url}/repo/${repoId}/run`;
    const hangUp = request(url, {
      method: 'POST',
      headers: { authorization: `Bearer ${station.adminKey}`, 'content-type': 'application/json' },
    });
    const gone = new Promise((resolve) => hangUp.once('error', resolve));
    hangUp.end(JSON.stringify({ script: 'wait', background: false }));
    const running = await eventually('the run is under way', async () => {
      const { body } = await station.api<{ operations: Operation[] }>('GET', `/repo/${repoId}/operations`);
      return body.result.operations.find(({ operation, status }) => operation === 'run' && status === 'running');
    });
    hangUp.destroy();
    await gone;
    expect((await station.entry(repoId)).body.result.activeOperation).toMatchObject({
      operationId: running.operationId,
    });
    expect((await station.operation(running.operationId)).body.result.status).toBe('running');
    await station.cancel(running.operationId);
  });
});

describe('A repository that its host redirects to', () => {
  it('is told in the warnings, and is the same by whichever URL it is cloned', async () => {
    const { url } = await git.createRepository('moved/app', { files: fixture('hello') });
    git.redirect('/former/app', '/moved/app');
    const former = `${git.url}/former/app`;
    const asked = await station.clone(former);
    expect([asked.status, asked.body.result.repoUrl]).toEqual([201, `${git.url}/moved/app`]);
    expect(asked.body.result.warnings).toEqual([`The Git host redirects ${former} to ${git.url}/moved/app`]);
    const again = await station.clone(url);
    expect([again.status, again.body.code]).toEqual([409, 'ALREADY_LOADED']);
    expect(again.body.context).toMatchObject({ repoId: 'former-app', uid: asked.body.uid });
    await station.unload('former-app');

    const direct = await station.clone(url);
    const redirected = await station.clone(former);
    expect([direct.status, redirected.status, redirected.body.code]).toEqual([201, 409, 'ALREADY_LOADED']);
    expect(redirected.body.context).toMatchObject({ repoId: 'moved-app', uid: direct.body.uid });
    expect((await station.entry('former-app')).status).toBe(404);
    expect((await station.clone(former, { repoId: 'second' })).status).toBe(201);
  });
});

describe('An Idempotency-Key', () => {
  it('means the same operation again, and no other body', async () => {
    const { url } = await git.createRepository('rest/idempotent', { files: fixture('hello') });
    const headers = { 'idempotency-key': 'one' };
    const [first, second] = await Promise.all([
      station.clone(url, {}, { headers }),
      station.clone(url, {}, { headers }),
    ]);
    expect([first.status, second.status]).toEqual([201, 201]);
    expect(second.body.operationId).toBe(first.body.operationId);
    const later = await station.clone(url, {}, { headers });
    expect(later.body.operationId).toBe(first.body.operationId);
    const other = await station.clone(url, { depth: 0 }, { headers });
    expect([other.status, other.body.code]).toEqual([409, 'IDEMPOTENCY_KEY_REUSED']);
    const without = await station.clone(url);
    expect([without.status, without.body.code]).toEqual([409, 'ALREADY_LOADED']);
  });

  it('is its owner’s', async () => {
    const { url } = await git.createRepository('rest/idempotent-two', { files: fixture('hello') });
    const headers = { 'idempotency-key': 'two' };
    const mine = await station.clone(url, {}, { headers });
    const key = await station.createKey('bob');
    const theirs = await station.clone(url, {}, { headers, key });
    expect(theirs.status).toBe(201);
    expect(theirs.body.operationId).not.toBe(mine.body.operationId);
  });

  it('also goes for a cancel', async () => {
    const { repoId } = await dock({ 'package.json': packageJson(ENDLESS) });
    const path = `/operations/${await begin(repoId)}/cancel`;
    const headers = { 'idempotency-key': 'three' };
    const first = await station.api('POST', path, undefined, { headers });
    const again = await station.api('POST', path, undefined, { headers });
    expect([first.status, again.status]).toEqual([200, 200]);
    expect(again.body.result).toEqual(first.body.result);
  });
});

const post = (body: string, headers: Record<string, string> = {}) =>
  fetch(`${station.url}/repo/clone`, {
    method: 'POST',
    headers: { authorization: `Bearer ${station.adminKey}`, 'content-type': 'application/json', ...headers },
    body,
  });

describe('A problem', () => {
  it.each(['application/x-www-form-urlencoded', 'text/plain', 'application/vnd.api+json'])(
    'is a body that would be ignored, as %s',
    async (type) => {
      const { repoId } = await sharedRepository();
      const response = await fetch(`${station.url}/repo/${repoId}/run`, {
        method: 'POST',
        headers: { authorization: `Bearer ${station.adminKey}`, 'content-type': type },
        body: JSON.stringify({ script: 'build' }),
      });
      const { code, detail, suggestion } = (await response.json()) as Record<string, string>;
      expect([response.status, code]).toEqual([400, 'BAD_REQUEST']);
      expect([detail, suggestion].join(' ')).toMatch(/expected application\/json, got .*Send the header Content-Type/);
    },
  );

  it('has all the fields of RFC 9457 and those of the station', async () => {
    const { status, headers, body } = await station.install(
      'no-such',
      {},
      { headers: { 'x-request-id': 'my-request' } },
    );
    expect(status).toBe(404);
    expect(headers.get('content-type')).toContain('application/problem+json');
    expect(headers.get('x-request-id')).toBe('my-request');
    expect(body).toEqual({
      type: '/docs#REPO_NOT_FOUND',
      title: 'No such repository',
      status: 404,
      detail: expect.stringContaining('no-such') as string,
      code: 'REPO_NOT_FOUND',
      operation: 'install',
      repoId: 'no-such',
      retryable: false,
      suggestion: expect.stringContaining('/repo/list') as string,
      context: {},
      requestId: 'my-request',
    });
  });

  it.each([
    ['half an object', '{"repoUrl": ', 400, 'BAD_REQUEST'],
    ['a list', '[]', 400, 'BAD_REQUEST'],
    ['text', '"text"', 400, 'BAD_REQUEST'],
    ['more than a megabyte', `{"repoUrl": "${'x'.repeat(1_200_000)}"}`, 413, 'TOO_LARGE'],
  ])('comes of a body that is %s', async (_, body, status, code) => {
    const response = await post(body);
    expect([response.status, await response.json()]).toMatchObject([status, { code, status, operation: 'clone' }]);
  });

  it('comes of a bad key before anything is said about the body', async () => {
    const response = await post('{"repoUrl": ', { authorization: 'Bearer wrong' });
    expect([response.status, await response.json()]).toMatchObject([401, { code: 'UNAUTHORIZED' }]);
  });

  it('comes of fields that nobody reads, on every route that takes none', async () => {
    const { repoId } = await sharedRepository();
    const { paths } = (await station.api('GET', '/docs-json')).body as unknown as {
      paths: Record<string, Record<string, { parameters?: { in: string }[]; requestBody?: object }>>;
    };
    let refused = 0;
    for (const [template, methods] of Object.entries(paths)) {
      // Some probes add a field against caches, and what a browser or Patreon is sent with is not ours to say.
      if (template.startsWith('/health') || template.startsWith('/auth/patreon')) continue;
      const path = template.replace('{repoId}', repoId).replace('{id}', 'x');
      for (const [method, { parameters = [], requestBody }] of Object.entries(methods)) {
        const requests: [string, object | undefined][] = [];
        if (!parameters.some((one) => one.in === 'query')) requests.push([`${path}?foo=1`, requestBody && {}]);
        if (!requestBody && method !== 'get') requests.push([path, { foo: 1 }]);
        for (const [address, body] of requests) {
          const answer = await station.api(method.toUpperCase(), address, body);
          expect([method, address, answer.status, answer.body.detail]).toEqual([
            method,
            address,
            400,
            'foo: unknown field, expected no fields',
          ]);
          refused += 1;
        }
      }
    }
    expect(refused).toBeGreaterThan(15);
  });

  it.each([
    ['POST', '/repo/x/install'],
    ['POST', '/operations/x/cancel'],
    ['DELETE', '/repo/x'],
  ])('comes of %s %s with a body that is nested without end', async (method, path) => {
    const body = `{"env": ${'['.repeat(400_000)}${']'.repeat(400_000)}}`;
    const headers = {
      authorization: `Bearer ${station.adminKey}`,
      'content-type': 'application/json',
      'idempotency-key': 'deep',
    };
    const response = await fetch(station.url + path, { method, headers, body });
    expect([response.status, await response.json()]).toMatchObject([400, { code: 'BAD_REQUEST' }]);
  });

  it.each([
    ['POST', '/operations/x/cancel'],
    ['DELETE', '/repo/x'],
  ])('comes of a field in the body of %s %s, which takes none', async (method, path) => {
    const { status, body } = await station.api(method, path, { force: true });
    expect([status, body.code, body.detail]).toEqual([400, 'BAD_REQUEST', 'force: unknown field, expected no fields']);
  });

  it('names no more fields than anybody reads', async () => {
    const fields = Object.fromEntries(Array.from({ length: 40_000 }, (_, index) => [`unknown${index}`, 0]));
    const { body } = await station.api('POST', '/repo/clone', { repoUrl: 'x', ...fields });
    expect(body.detail).toMatch(/unknown0: unknown field.*; and 39980 more$/);
    expect(JSON.stringify(body).length).toBeLessThan(10_000);
  });

  it('comes of a form, which is not read', async () => {
    const response = await post('repoUrl=x', { 'content-type': 'application/x-www-form-urlencoded' });
    expect(await response.json()).toMatchObject({ code: 'BAD_REQUEST' });
  });

  it.each([
    ['GET', '/nowhere'],
    ['PUT', '/repo/clone'],
    ['GET', '/repo'],
  ])('comes of %s %s', async (method, path) => {
    const { status, headers, body } = await station.api(method, path);
    expect([status, body.code]).toEqual([404, 'NOT_FOUND']);
    expect(headers.get('content-type')).toContain('application/problem+json');
  });

  it.each([
    ['that goes up', '..%2f'],
    ['that goes up and elsewhere', '..%2f..%2fvictim'],
    ['that goes up later', 'a%2f..%2f..%2fvictim'],
    ['with a NUL', 'victim%00'],
    ['__proto__', '__proto__'],
    ['constructor', 'constructor'],
    ['of 5 kB', 'x'.repeat(5000)],
    ['that is badly encoded', '%zz'],
    ['that is a folder for someone', '~'],
  ])('comes of an id %s, without a look at the disk', async (_, id) => {
    for (const [method, suffix] of [
      ['GET', ''],
      ['GET', '/status'],
      ['POST', '/run'],
      ['DELETE', ''],
    ] as const) {
      const { status } = await station.api(method, `/repo/${id}${suffix}`);
      expect([400, 404]).toContain(status);
    }
  });

  it.each<[string, object, string, string]>([
    [
      'install',
      { packageManager: 'cargo' },
      'BAD_REQUEST',
      'packageManager: expected one of npm, yarn, pnpm, bun, got "cargo"',
    ],
    ['install', { production: 'yes' }, 'BAD_REQUEST', 'production: expected true or false, got "yes"'],
    ['install', { production: null }, 'BAD_REQUEST', 'got null'],
    ['install', { force: true }, 'BAD_REQUEST', 'force: unknown field'],
    ['run', { script: '' }, 'BAD_REQUEST', 'script: expected text of 1 to 200 characters, got ""'],
    ['run', { script: ['start'] }, 'BAD_REQUEST', 'script: expected text'],
    ...[0, -1, 22, 65_536, 1.5, '3000;id', '0x50', '3000'].map((port): [string, object, string, string] => [
      'run',
      { port },
      'BAD_REQUEST',
      'port: expected an integer from 1024',
    ]),
    ['run', { env: { LD_PRELOAD: 'x' } }, 'ENV_NOT_ALLOWED', 'LD_PRELOAD'],
    ['run', { env: { NODE_OPTIONS: 'x' } }, 'ENV_NOT_ALLOWED', 'NODE_OPTIONS'],
    ['run', { env: { npm_config_script_shell: 'x' } }, 'ENV_NOT_ALLOWED', 'npm_config_script_shell'],
    ['run', { env: { PORT: '4000' }, port: 5000 }, 'ENV_NOT_ALLOWED', 'PORT'],
    ['run', { env: { A: 1 } }, 'BAD_REQUEST', 'env.A: expected text, got a number'],
    ['run', { env: { A: 'a\0b' } }, 'BAD_REQUEST', 'env.A'],
    ['run', { env: ['A=1'] }, 'BAD_REQUEST', 'env: expected an object, got a list'],
    ['run', { env: JSON.parse('{"__proto__": "x"}') as object }, 'ENV_NOT_ALLOWED', '__proto__'],
    ['run', { ready: { http: 'http://x' } }, 'BAD_REQUEST', 'ready.http: expected a path'],
    ['run', { liveness: { http: '/' } }, 'BAD_REQUEST', 'liveness.intervalMs'],
    ['stop', { graceMs: -1 }, 'BAD_REQUEST', 'graceMs'],
    ['update', { restart: 1 }, 'BAD_REQUEST', 'restart'],
  ])('comes of %s %j before anything has started', async (operation, options, code, reason) => {
    const { repoId } = await sharedRepository();
    const { status, body } = await station.api('POST', `/repo/${repoId}/${operation}`, options);
    expect([status, body.code]).toEqual([400, code]);
    expect(body.detail).toContain(reason);
    expect(body.operationId).toBeUndefined();
  });

  it('never holds the secret that was wrong', async () => {
    const { body } = await station.clone('https://example.com/a/b', {
      credentials: { token: 'S3CR3T', passphrase: 'S3CR3T' },
    });
    expect(body.code).toBe('BAD_REQUEST');
    expect(JSON.stringify(body)).not.toContain('S3CR3T');
  });
});

describe('Logs', () => {
  it('are read in pages, and from a cursor on', async () => {
    const { repoId } = await dock({
      'package.json': packageJson({ start: 'node -e "for (let i = 1; i <= 250; i++) console.log(i)"' }),
    });
    await station.run(repoId);
    const read = async (query: string) =>
      (await station.api<LogPage>('GET', `/repo/${repoId}/logs${query}`)).body.result;
    const all = await read('?tail=1000');
    const numbers = all.lines.map(({ text }) => text).filter((text) => /^\d+$/.test(text));
    expect(numbers).toEqual(Array.from({ length: 250 }, (_, index) => String(index + 1)));
    expect((await read('')).lines).toEqual(all.lines.slice(-100));
    const middle = all.lines[99]?.seq;
    expect(await read(`?cursor=${middle}`)).toEqual({ ...all, lines: all.lines.slice(100) });
    expect(await read(`?cursor=${all.nextCursor}`)).toEqual({ ...all, lines: [] });
    expect((await read('?source=clone')).lines.every(({ text }) => !numbers.includes(text))).toBe(true);
  });

  it.each(['tail=-1', 'tail=1000000000', 'tail=abc', 'tail=1&tail=2', 'cursor=x', 'source=nothing', 'lines=5'])(
    'are not read with ?%s',
    async (query) => {
      const { repoId } = await dock(fixture('hello'));
      expect((await station.api('GET', `/repo/${repoId}/logs?${query}`)).status).toBe(400);
    },
  );

  it('of a failed clone can be read from its operation', async () => {
    const { url } = await git.createRepository('rest/failing', { files: fixture('hello') });
    const { status, body } = await station.clone(url, { branch: 'no-such' });
    expect([status, body.code]).toEqual([422, 'GIT_BRANCH_NOT_FOUND']);
    const logs = await station.api<LogPage>('GET', `/operations/${body.operationId}/logs`);
    expect(logs.status).toBe(200);
    expect(logs.body.result.nextCursor).toEqual(expect.any(String));
    expect((await station.entry('rest-failing')).status).toBe(404);
  });

  it('are followed as server-sent events, until nothing can come', async () => {
    const { repoId } = await dock(fixture('srv'));
    await station.run(repoId);
    const follow = (headers: Record<string, string>) =>
      fetch(`${station.url}/repo/${repoId}/logs?tail=0`, {
        headers: { authorization: `Bearer ${station.adminKey}`, accept: 'text/event-stream', ...headers },
      });
    const response = await follow({});
    expect(response.headers.get('content-type')).toContain('text/event-stream');
    let text = '';
    let stopped: Promise<unknown> | undefined;
    const decoder = new TextDecoder();
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      text += decoder.decode(chunk, { stream: true });
      if (text.split('event: log').length > 3) stopped ??= station.stop(repoId);
    }
    await stopped;
    const ids = [...text.matchAll(/^id: (op_\w+\.\d+)$/gm)].map(([, id = '']) => id);
    const seqs = ids.map((id) => Number(id.split('.')[1]));
    expect(seqs.length).toBeGreaterThan(2);
    expect(seqs).toEqual(seqs.map((_, index) => Number(seqs[0]) + index));
    expect(text).toMatch(/event: log\nid: op_\w+\.\d+\ndata: {"seq":\d+,.*"text":"tick \d+"}\n\n/);

    const resumed = await follow({ 'last-event-id': String(ids[0]) });
    expect(await resumed.text()).toContain(`id: ${ids[1]}\n`);
    expect((await follow({ 'last-event-id': String(ids.at(-1)) })).status).toBe(204);
  });
});

describe('The history', () => {
  it('is paged, newest first', async () => {
    const { repoId } = await dock(fixture('hello'));
    for (let times = 0; times < 4; times += 1) await station.stop(repoId);
    const page = async (query: string) =>
      (
        await station.api<{ operations: Operation[]; nextCursor: string | null }>(
          'GET',
          `/repo/${repoId}/operations?${query}`,
        )
      ).body.result;
    const all = await page('');
    expect(all.operations.map(({ operation }) => operation)).toEqual(['stop', 'stop', 'stop', 'stop', 'clone']);
    const first = await page('limit=2');
    const second = await page(`limit=2&cursor=${first.nextCursor}`);
    const third = await page(`limit=2&cursor=${second.nextCursor}`);
    expect([first, second, third].flatMap(({ operations }) => operations)).toEqual(all.operations);
    expect(third.nextCursor).toBeNull();
    expect((await station.api('GET', `/operations?limit=0`)).status).toBe(400);
    expect((await station.api('GET', `/operations?cursor=nonsense`)).status).toBe(400);
  });
});

describe('The API documentation', () => {
  it('describes every route with its failures, with summaries and references that lead somewhere', async () => {
    const { body } = await station.api('GET', '/docs-json', undefined, { key: null });
    const { openapi, servers, paths, components } = body as unknown as {
      openapi: string;
      servers: object[];
      paths: Record<string, Record<string, { summary?: string; responses: Record<string, unknown> }>>;
      components: { schemas: Record<string, object> };
    };
    expect(openapi).toMatch(/^3\./);
    expect(servers).toEqual([{ url: PUBLIC_URL }]);
    const operations = Object.values(paths).flatMap((methods) => Object.values(methods));
    expect(operations.length).toBeGreaterThanOrEqual(22);
    expect(operations.filter(({ summary }) => !summary)).toEqual([]);
    expect(Object.keys(paths['/repo/clone']?.post?.responses ?? {})).toEqual(
      expect.arrayContaining([
        '201',
        '202',
        '400',
        '401',
        '403',
        '409',
        '413',
        '422',
        '429',
        '502',
        '503',
        '504',
        '507',
      ]),
    );
    const references = [...JSON.stringify(body).matchAll(/#\/components\/schemas\/(\w+)/g)].map((match) => match[1]);
    expect(references.filter((name) => !(String(name) in components.schemas))).toEqual([]);
    expect(JSON.stringify(components.schemas)).not.toContain('"type":"object","properties":{}}');
  });

  it.each(['/docs', '/'])('is served as pages, from %s on', async (path) => {
    const response = await fetch(station.url + path);
    expect([response.status, response.url]).toEqual([200, `${station.url}/docs`]);
    expect(await response.text()).toContain('swagger');
  });
});

describe('Health', () => {
  it('is told to everyone, in counts', async () => {
    const { repoId, uid } = await dock({ 'package.json': packageJson(ENDLESS) });
    const operationId = await begin(repoId);
    await eventually('the operation runs', async () => {
      const { body: found } = await station.api('GET', `/operations/${operationId}`);
      return (found.result as { status: string }).status === 'running';
    });
    const { status, body } = await station.api('GET', '/health', undefined, { key: null });
    expect([status, body]).toMatchObject([
      200,
      {
        status: 'ok',
        details: {
          manager: { status: 'up', queue: { maxQueued: 100, maxRunning: 3, draining: false } },
          workers: { status: 'up', limits: { workers: 3 } },
          isolation: { driver: expect.stringMatching(/^(bubblewrap|none)$/) as string },
          storage: { status: 'up' },
        },
      },
    ]);
    for (const secret of [repoId, uid, operationId, station.dataDir, station.workspaceDir]) {
      expect(JSON.stringify(body)).not.toContain(secret);
    }
    await eventually('it is told what the threads do', async () => {
      const detailed = await station.api('GET', '/health');
      return JSON.stringify(detailed.body).includes(operationId);
    });
    const key = await station.createKey('alice');
    expect(JSON.stringify((await station.api('GET', '/health', undefined, { key })).body)).not.toContain(operationId);
    expect((await station.api('GET', '/health', undefined, { key: 'wrong' })).status).toBe(200);
    await station.cancel(operationId);
  });

  it('is live and ready without a key, and stays live when it is not ready', async () => {
    const probe = (path: string) => station.api('GET', path, undefined, { key: null });
    expect((await probe('/health/live')).status).toBe(200);
    expect((await probe('/health/ready')).status).toBe(200);
    renameSync(station.workspaceDir, `${station.workspaceDir}-away`); // root may write to any folder that is there
    const { body } = await eventually('it is not ready', async () => {
      const answer = await probe('/health/ready');
      return answer.status === 503 && answer;
    });
    expect(body).toMatchObject({ status: 'error', error: { storage: { status: 'down' } } });
    expect(JSON.stringify(body)).not.toContain(station.workspaceDir);
    expect((await probe('/health/live')).status).toBe(200);
    renameSync(`${station.workspaceDir}-away`, station.workspaceDir);
  });
});
