import { writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { eventually } from './support/eventually.js';
import { fixture, packageJson } from './support/fixtures.js';
import type { GitFile } from './support/git-repository.js';
import { GitServer } from './support/git-server.js';
import { Station } from './support/station.js';
import { ask } from './support/station-socket.js';
import { temporaryFolder } from './support/temporary-folder.mjs';

const ASYNC = { prefer: 'respond-async' };
const PERMISSIONS = ['read', 'clone', 'install', 'run', 'stop', 'unload'];
const SMALL = {
  id: 'small',
  name: 'Small',
  permissions: PERMISSIONS,
  quotas: {
    repositories: 2,
    runningApps: 1,
    operationsAtOnce: 1,
    queuedOperations: 1,
    memoryPerAppMb: 256,
    diskPerRepositoryMb: 64,
  },
};
const LARGE = {
  id: 'large',
  name: 'Large',
  permissions: [...PERMISSIONS, 'update'],
  quotas: { ...SMALL.quotas, repositories: 20, runningApps: 2, memoryPerAppMb: 512, diskMb: 16 },
};

interface Owner {
  owner: string;
  plan: string | null;
  limits: Record<string, number | null>;
  use: Record<string, number>;
}

describe('an owner with a plan', () => {
  let git: GitServer;
  let station: Station;
  let folder: string;
  let key: string;
  let docked = 0;
  const plansAre = (...plans: object[]) => writeFileSync(join(folder, 'plans.json'), JSON.stringify({ plans }));
  const as = (apiKey: string, headers = {}) => ({ key: apiKey, headers });
  const api = <R>(method: string, path: string, body?: object, headers = {}) =>
    station.api<R>(method, path, body, as(key, headers));
  const grant = (owner: string, plan: string) => station.api<Owner>('PUT', `/auth/owners/${owner}/plan`, { plan });

  async function urlOf(files: Record<string, GitFile> = fixture('srv')): Promise<string> {
    return (await git.createRepository(`plans/app${++docked}`, { files })).url;
  }

  async function clone(files: Record<string, GitFile> = fixture('srv')): Promise<string> {
    const { status, body } = await api('POST', '/repo/clone', { repoUrl: await urlOf(files) });
    expect(status).toBe(201);
    return body.repoId;
  }

  async function unloadAll(): Promise<void> {
    const { body } = await api<{ repositories: { uid: string }[] }>('GET', '/repo/list');
    await Promise.all(body.result.repositories.map(({ uid }) => api('DELETE', `/repo/${uid}`)));
  }

  beforeAll(async () => {
    git = await GitServer.start();
    folder = await temporaryFolder('plans');
    plansAre(SMALL, LARGE);
    const env = { SANDBOX: 'none', PLANS_FILE: join(folder, 'plans.json') };
    station = await Station.start({ allowedHosts: [git.host], env });
    const { body } = await station.api<{ key: string }>('POST', '/auth/keys', { name: 'alice', owner: 'alice' });
    key = body.result.key;
  });
  afterAll(async () => {
    await station?.close();
    await git?.close();
    await rm(folder, { recursive: true });
  });
  beforeEach(async () => {
    await grant('alice', 'small');
  });
  afterEach(unloadAll);

  it('is told which it is, what it allows, and what is used', async () => {
    await clone();
    const { body } = await api<Owner>('GET', '/auth/me');
    expect(body.result).toMatchObject({
      owner: 'alice',
      admin: false,
      plan: 'small',
      permissions: PERMISSIONS,
      limits: { ...SMALL.quotas, diskMb: null },
      use: { repositories: 1, runningApps: 0, operationsAtOnce: 0, queuedOperations: 0 },
    });
    const plans = await api<{ plans: { id: string; quotas: object }[] }>('GET', '/auth/plans');
    expect(plans.body.result.plans.map(({ id }) => id)).toEqual(['small', 'large']);
    const owners = await station.api<{ owners: Owner[] }>('GET', '/auth/owners');
    expect(owners.body.result.owners.map(({ owner, plan }) => [owner, plan])).toEqual([
      ['admin', null],
      ['alice', 'small'],
    ]);
    const first = await station.api<{ owners: Owner[]; nextCursor: string }>('GET', '/auth/owners?limit=1');
    expect(first.body.result).toMatchObject({ owners: [{ owner: 'admin' }], nextCursor: 'admin' });
    const second = await station.api('GET', `/auth/owners?limit=1&cursor=${first.body.result.nextCursor}`);
    expect(second.body.result).toMatchObject({ owners: [{ owner: 'alice' }], nextCursor: null });
    expect((await station.api('GET', '/auth/owners?owner=nobody')).body.result).toEqual({
      owners: [],
      nextCursor: null,
    });
    expect((await api('GET', '/auth/owners')).status).toBe(403);
    expect((await api('PUT', '/auth/owners/alice/plan', { plan: 'large' })).status).toBe(403);
  });

  it('may have so many repositories, however it asks; whoever is refused hears which plan allows more', async () => {
    const repoId = await clone();
    await clone();
    const refusal = {
      code: 'PLAN_LIMIT',
      suggestion: 'The plan "Large" allows more.',
      context: { plan: 'small', quota: 'repositories', limit: 2, use: 2, raisedBy: 'large' },
    };
    const repoUrl = await urlOf();
    const { status, body } = await api('POST', '/repo/clone', { repoUrl });
    expect([status, body]).toMatchObject([403, refusal]);
    const socket = await station.socket({ apiKey: key });
    expect((await ask(socket, { operation: 'clone', repoUrl })).error).toMatchObject(refusal);
    expect((await station.clone(repoUrl)).status).toBe(201); // by an administrator

    const both = await Promise.all([1, 2].map(async () => api('POST', '/repo/clone', { repoUrl: await urlOf() })));
    expect(both.map((answer) => answer.body.code)).toEqual(['PLAN_LIMIT', 'PLAN_LIMIT']);
    await grant('alice', 'large');
    expect(await ask(socket, { operation: 'clone', repoUrl })).toMatchObject({ result: { owner: 'alice' } });

    await grant('alice', 'small'); // with one more than it allows
    const beyond = await api('POST', `/repo/${repoId}/install`, {});
    expect([beyond.status, beyond.body]).toMatchObject([
      403,
      { code: 'PLAN_LIMIT', context: { quota: 'repositories', limit: 2, use: 3 } },
    ]);
    expect((await api('POST', `/repo/${repoId}/stop`)).status).toBe(200);
  });

  it('does not get more by asking twice at once', async () => {
    await clone();
    const answers = await Promise.all(
      [1, 2, 3].map(async () => api('POST', '/repo/clone', { repoUrl: await urlOf() })),
    );
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([201, 403, 403]);
  });

  it('may have so many apps running, and stop them whenever it likes', async () => {
    const [first, second] = [await clone(), await clone()];
    expect((await api('POST', `/repo/${first}/run`, {})).status).toBe(200);
    const { status, body } = await api('POST', `/repo/${second}/run`, {});
    expect([status, body]).toMatchObject([
      403,
      { code: 'PLAN_LIMIT', context: { quota: 'runningApps', limit: 1, use: 1, raisedBy: 'large' } },
    ]);
    expect((await api<{ state: string }>('GET', `/repo/${second}`)).body.result.state).toBe('cloned');
    expect((await api('POST', `/repo/${first}/stop`, {})).status).toBe(200);
    const both = await Promise.all([first, second].map((id) => api('POST', `/repo/${id}/run`, {})));
    expect(both.map((answer) => answer.status).toSorted((a, b) => a - b)).toEqual([200, 403]);
  });

  it('has its further operations wait, so many of them', async () => {
    const waits = { 'package.json': packageJson({ install: 'until [ -e go ]; do sleep 0.05; done' }) };
    const ids = [await clone(waits), await clone(waits)];
    const [first, second] = [
      await api<{ operationId: string }>('POST', `/repo/${ids[0]}/install`, {}, ASYNC),
      await api<{ operationId: string }>('POST', `/repo/${ids[1]}/install`, {}, ASYNC),
    ];
    const third = await api('POST', `/repo/${ids[0]}/run`, { background: false }, ASYNC);
    expect([first.status, second.status]).toEqual([202, 202]);
    expect([third.status, third.body]).toMatchObject([
      429,
      { code: 'QUEUE_FULL', retryable: true, context: { quota: 'queuedOperations', limit: 1, use: 1 } },
    ]);
    expect(third.headers.get('retry-after')).toMatch(/^\d+$/);
    const find = async (id: string) => (await station.operation(id)).body.result.status;
    await eventually('the first has begun', async () => (await find(first.body.operationId)) === 'running');
    expect(await find(second.body.operationId)).toBe('queued');
    writeFileSync(join(station.workspaceDir, String(ids[0]), 'go'), '');
    await eventually('the second has begun', async () => (await find(second.body.operationId)) === 'running', 15_000);
    writeFileSync(join(station.workspaceDir, String(ids[1]), 'go'), '');
    await eventually('it is over', async () => (await find(second.body.operationId)) === 'succeeded', 15_000);
  });

  it('has the limits of its plan, and not more than the station gives', async () => {
    const repoId = await clone();
    const { body } = await api<{ limits: object }>('GET', `/repo/${repoId}`);
    expect(body.result.limits).toMatchObject({ memoryMb: 256, diskMb: 64, processes: 1024 });
    await grant('alice', 'large');
    expect((await api('POST', `/repo/${repoId}/run`, {})).status).toBe(200);
    const { limits } = (await api<{ limits: object }>('GET', `/repo/${repoId}`)).body.result;
    expect(limits).toMatchObject({ memoryMb: 512 });
  });

  it('may take so much disk with all that it has', async () => {
    await grant('alice', 'large');
    await clone({ ...fixture('srv'), large: Buffer.alloc(20 * 1024 * 1024, 1) });
    const { status, body } = await api('POST', '/repo/clone', { repoUrl: await urlOf() });
    expect([status, body]).toMatchObject([403, { code: 'PLAN_LIMIT', context: { quota: 'diskMb', limit: 16 } }]);
  });

  it('may do what the plan permits, and is told which plan permits more', async () => {
    const repoId = await clone();
    const { status, body } = await api('POST', `/repo/${repoId}/update`, {});
    expect([status, body]).toMatchObject([
      403,
      { code: 'FORBIDDEN', context: { permission: 'update', plan: 'small', raisedBy: 'large' } },
    ]);
    await grant('alice', 'large');
    expect((await api('POST', `/repo/${repoId}/update`, {})).status).toBe(200);
  });

  it('may ask so often, over REST and sockets together', async () => {
    const socket = await station.socket({ apiKey: key });
    plansAre({ ...SMALL, quotas: { requestsPerMinute: 5 } }, { ...LARGE, quotas: {} });
    process.kill(Number(station.pid), 'SIGHUP');
    const limitOf = async () => (await api<Owner>('GET', '/auth/me')).body.result?.limits.requestsPerMinute;
    await eventually('the plans were read', async () => (await limitOf()) === 5);
    const refused = await eventually('it is refused', async () => {
      const answer = await api('GET', '/repo/list');
      return answer.status === 429 && answer;
    });
    expect(refused.body).toMatchObject({
      code: 'RATE_LIMITED',
      retryable: true,
      context: { plan: 'small', quota: 'requestsPerMinute', limit: 5, raisedBy: 'large' },
    });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await ask(socket, { operation: 'list' })).error).toMatchObject({ code: 'RATE_LIMITED' });
    const looks = await socket.emitWithAck('repo-subscribe', { repoId: 'none', logs: true });
    expect(looks).toMatchObject({ error: { code: 'REPO_NOT_FOUND' } });
    (await station.socket({ apiKey: key })).close();
    plansAre(SMALL, LARGE);
    process.kill(Number(station.pid), 'SIGHUP');
    await eventually('the plans were read', async () => (await api('GET', '/auth/me')).status === 200);
  });

  it('keeps it when the station starts again, and is free of it when it is taken away', async () => {
    await station.restart();
    expect((await api<Owner>('GET', '/auth/me')).body.result.plan).toBe('small');
    const { body } = await station.api<Owner>('DELETE', '/auth/owners/alice/plan');
    expect(body.result).toMatchObject({ owner: 'alice', plan: null, limits: { repositories: null } });
    expect((await api<Owner>('GET', '/auth/me')).body.result.plan).toBeNull();
  });

  it('has what the file says from SIGHUP on, unless that is not valid', async () => {
    const limitOf = async () => (await api<Owner>('GET', '/auth/me')).body.result.limits.repositories;
    plansAre({ ...SMALL, quotas: { repositories: 7 } }, LARGE);
    process.kill(Number(station.pid), 'SIGHUP');
    await eventually('the plans were read', async () => (await limitOf()) === 7);
    plansAre({ ...SMALL, quotas: { repositories: 'many' } });
    process.kill(Number(station.pid), 'SIGHUP');
    await eventually('it was told', () => station.output.includes('repositories: expected an integer'));
    expect(await limitOf()).toBe(7);
    plansAre(SMALL, LARGE);
    process.kill(Number(station.pid), 'SIGHUP');
    await eventually('the plans were read', async () => (await limitOf()) === 2);
  });

  it.each([
    ['alice', 'huge', 'UNKNOWN_PLAN'],
    ['station', 'small', 'BAD_REQUEST'],
    ['a b', 'small', 'BAD_REQUEST'],
  ])('is none where there is no such owner or plan: %s, %s', async (owner, plan, code) => {
    const { status, body } = await grant(encodeURIComponent(owner), plan);
    expect([status, body.code]).toEqual([400, code]);
  });
});

describe('a station whose plans are not valid', () => {
  it('does not start, and says what is expected', async () => {
    const folder = await temporaryFolder('plans');
    writeFileSync(join(folder, 'plans.json'), '{"plans": [{"id": "A B"}]}');
    const start = Station.start({ env: { PLANS_FILE: join(folder, 'plans.json') } });
    await expect(start).rejects.toThrow('PLANS_FILE: plans[0]: id: expected lower-case letters');
    await rm(folder, { recursive: true });
  });
});
