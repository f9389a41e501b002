import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Operation, Repository } from '../src/contracts/shapes.js';
import { eventually } from './support/eventually.js';
import { fixture, packageJson } from './support/fixtures.js';
import { itInMatrix } from './support/matrix.js';
import { inDays, ownerOf, PatronStation, planOf } from './support/patron-station.js';
import { freePort } from './support/ports.js';

const SMALL = planOf('small', ['100'], { runningApps: 1 });
const MEDIUM = planOf('medium', ['200'], { runningApps: 2 });
const LARGE = planOf('large', ['300'], {});
const PLANS = [SMALL, MEDIUM, LARGE];
const FORMER = { status: 'former_patron' };
const ACTIVE = { status: 'active_patron' };
const ASYNC = { prefer: 'respond-async' };

let kit: PatronStation;

async function start(times: { graceMs: number; retentionMs: number }): Promise<void> {
  const { graceMs, retentionMs } = times;
  kit = await PatronStation.start(PLANS, {
    PATREON_GRACE_DAYS: inDays(graceMs),
    RETENTION_DAYS: inDays(retentionMs),
  });
}
const end = () => kit?.close();

async function run(key: string, repoId: string, options: object = {}): Promise<void> {
  expect((await kit.station.run(repoId, options, { key })).status).toBe(200);
}

const isIn = (state: string, key: string, repoId: string) => async () => (await kit.stateOf(key, repoId)) === state;

async function running(key: string): Promise<string[]> {
  const { body } = await kit.station.api<{ repositories: Repository[] }>('GET', '/repo/list', undefined, { key });
  return body.result.repositories.filter(({ state }) => state === 'running').map(({ repoId }) => repoId);
}

const statusOf = async (operationId: string, key: string) =>
  (await kit.station.operation(operationId, { key })).body.result.status;

/** Somebody of this tier with apps that run. */
async function patronWith(apps: number, tier: string): Promise<{ user: string; key: string; repoIds: string[] }> {
  const user = kit.member({ tiers: [tier] });
  const key = await kit.signIn(user);
  const repoIds: string[] = [];
  for (let app = 0; app < apps; app += 1) {
    const repoId = await kit.clone(key);
    await run(key, repoId);
    repoIds.push(repoId);
  }
  return { user, key, repoIds };
}

async function lapse(user: string, key: string): Promise<void> {
  await kit.change(user, FORMER);
  await eventually('all of its apps are stopped', async () => (await running(key)).length === 0, 15_000);
}

describe('What was announced', () => {
  beforeAll(() => start({ graceMs: 3_000, retentionMs: 8_000 }));
  afterAll(end);

  it('to who has lapsed is done when its time has come, and undone when the membership is right again', async () => {
    const { user, key, repoIds } = await patronWith(1, '100');
    const [repoId = ''] = repoIds;
    await kit.change(user, FORMER);
    await kit.becomes(key, 'lapsed');
    expect(await kit.stateOf(key, repoId)).toBe('running');
    await eventually('its app is stopped', isIn('stopped', key, repoId), 10_000);
    await kit.change(user, ACTIVE);
    await eventually('its app is back', isIn('running', key, repoId), 10_000);
    await kit.change(user, FORMER);
    const isGone = async () => (await kit.stateOf(key, repoId)) === undefined;
    await eventually('its repository is unloaded', isGone, 20_000);
    expect((await kit.me(key)).use.repositories).toBe(0);
  }, 60_000);

  itInMatrix(
    'is not done any more once the membership is right again, also where it was begun',
    async () => {
      const user = kit.member();
      const key = await kit.signIn(user);
      const stubborn = `process.on('SIGTERM', () => undefined); require('node:http').createServer().listen(process.env.PORT);`;
      const files = { 'package.json': packageJson({ start: 'exec node app.js' }), 'app.js': stubborn };
      const [repoId, other] = [await kit.clone(key, files), await kit.clone(key)];
      await run(key, repoId);
      await kit.change(user, FORMER);
      await kit.becomes(key, 'lapsed');
      const isBegun = () => kit.station.output.includes(`stop of ${repoId}`);
      await eventually('its app is being stopped', isBegun, 15_000);
      await kit.change(user, ACTIVE); // while the app does not want to end
      await kit.becomes(key, 'active');
      await eventually('its app is back', isIn('running', key, repoId), 20_000);
      expect((await kit.me(key)).use.repositories).toBe(2);
      await kit.unload(key, repoId, other);
    },
    60_000,
  );

  it('to whose plan allows less stops the newest of what is too much, and removes nothing', async () => {
    const { user, key, repoIds } = await patronWith(2, '300');
    const [older = '', newer = ''] = repoIds;
    await kit.change(user, { tiers: ['100'] });
    await eventually('the plan is smaller', async () => (await kit.me(key)).plan === 'small');
    expect((await kit.me(key)).notice).toMatchObject({ code: 'PLAN_REDUCED' });
    await eventually('the newer one is stopped', isIn('stopped', key, newer), 10_000);
    expect(await kit.stateOf(key, older)).toBe('running');
    await kit.station.restart();
    await eventually('the older one has returned', isIn('running', key, older), 20_000);
    expect(await kit.stateOf(key, newer)).toBe('stopped');
    await kit.change(user, { tiers: ['300'] });
    await eventually('it is back', isIn('running', key, newer), 10_000);
    await kit.unload(key, older, newer);
  }, 60_000);

  it('to whose plan allows less is over with the grace where nothing of theirs runs', async () => {
    const user = kit.member({ tiers: ['300'] });
    const key = await kit.signIn(user);
    await kit.change(user, { tiers: ['100'] });
    await eventually('there is a notice', async () => (await kit.me(key)).notice?.code === 'PLAN_REDUCED');
    await eventually('there is none', async () => (await kit.me(key)).notice === undefined, 10_000);
  }, 20_000);

  it('to who has not paid leaves the plan as it is for the grace', async () => {
    const user = kit.member();
    const key = await kit.signIn(user);
    await kit.change(user, { status: 'declined_patron' });
    const { notice, permissions } = await eventually('there is a notice', async () => {
      const found = await kit.me(key);
      return found.notice && found;
    });
    expect(notice).toMatchObject({ code: 'PAYMENT_DECLINED', unloadAt: null });
    expect(permissions).toContain('clone');
    await kit.becomes(key, 'lapsed');
  }, 20_000);
});

describe('Apps that were stopped for a plan', () => {
  beforeAll(() => start({ graceMs: 1_000, retentionMs: 600_000 }));
  afterAll(end);

  itInMatrix(
    'come back as many as the plan allows, and once each, whatever is told and asked meanwhile',
    async () => {
      const { user, key, repoIds } = await patronWith(3, '300');
      await lapse(user, key);
      let most = 0;
      const socket = await kit.station.socket({ apiKey: key });
      socket.onAny(() => void running(key).then((now) => (most = Math.max(most, now.length))));
      await kit.change(user, { ...ACTIVE, tiers: ['200'] });
      await Promise.all([
        ...[1, 2, 3].map(() => kit.hook(user)),
        ...repoIds.map((repoId) => kit.station.run(repoId, {}, { key })),
      ]);
      await eventually('two are back', async () => (await running(key)).length === 2, 15_000);
      await kit.change(user, { tiers: ['300'] });
      await eventually('the third is back', async () => (await running(key)).length === 3, 15_000);
      socket.close();
      expect(most).toBeLessThanOrEqual(3);
      const { body } = await kit.station.api<{ operations: Operation[] }>('GET', '/operations?limit=200', undefined, {
        key,
      });
      const runs = body.result.operations.filter((one) => one.operation === 'run' && one.status !== 'failed');
      expect(runs).toHaveLength(6);
      await kit.unload(key, ...repoIds);
    },
    60_000,
  );

  itInMatrix(
    'come back all of them, also where the server ends in the middle of that',
    async () => {
      const { user, key, repoIds } = await patronWith(2, '300');
      await lapse(user, key);
      await kit.change(user, ACTIVE);
      const isBegun = () => kit.station.output.includes(`run of ${repoIds[0]}`);
      await eventually('the first one is about to return', isBegun, 10_000);
      await kit.station.restart();
      await eventually('all are back', async () => (await running(key)).length === 2, 20_000);
      await kit.unload(key, ...repoIds);
    },
    60_000,
  );

  itInMatrix(
    'are not given up where what is in their way passes',
    async () => {
      const port = await freePort();
      const user = kit.member();
      const key = await kit.signIn(user);
      const repoId = await kit.clone(key);
      await run(key, repoId, { port });
      await lapse(user, key);
      const stranger = createServer().listen(port, '127.0.0.1');
      await once(stranger, 'listening');
      await kit.change(user, ACTIVE);
      const isTold = () => kit.station.output.includes(`Not all apps of ${ownerOf(user)} are back`);
      await eventually('the station says that its port is taken', isTold, 10_000);
      expect(await kit.stateOf(key, repoId)).toBe('stopped');
      stranger.close();
      await kit.hook(user);
      await eventually('it is back', isIn('running', key, repoId), 10_000);
      await kit.unload(key, repoId);
    },
    60_000,
  );

  itInMatrix(
    'come back when a grant that allows less is taken away',
    async () => {
      const { user, key, repoIds } = await patronWith(2, '300');
      await lapse(user, key);
      const plan = `/auth/owners/${ownerOf(user)}/plan`;
      await kit.station.api('PUT', plan, { plan: 'small' });
      await eventually('one is back, the older', async () => (await running(key))[0] === repoIds[0], 15_000);
      await kit.change(user, ACTIVE);
      expect(await running(key)).toHaveLength(1);
      await kit.station.api('DELETE', plan);
      await eventually('both run', async () => (await running(key)).length === 2, 15_000);
      await kit.unload(key, ...repoIds);
    },
    60_000,
  );

  itInMatrix(
    'stay stopped where their owner has stopped them as well',
    async () => {
      const user = kit.member();
      const key = await kit.signIn(user);
      const stubborn = `process.on('SIGTERM', () => undefined); require('node:http').createServer().listen(process.env.PORT);`;
      const repoId = await kit.clone(key, {
        'package.json': packageJson({ start: 'exec node app.js' }),
        'app.js': stubborn,
      });
      await run(key, repoId);
      await kit.change(user, FORMER);
      const isBegun = () => kit.station.output.includes(`stop of ${repoId} (${ownerOf(user)})`);
      await eventually('it is being stopped', isBegun, 15_000);
      expect((await kit.station.stop(repoId, { graceMs: 0 }, { key })).status).toBe(200);
      await kit.change(user, ACTIVE);
      await kit.becomes(key, 'active');
      await eventually('nothing is to return', async () => {
        const { app, state } = (await kit.station.entry(repoId, { key })).body.result;
        return state === 'stopped' && app?.stopReason === 'stop';
      });
      await kit.unload(key, repoId);
    },
    60_000,
  );

  itInMatrix(
    'are none of those that an update starts again while a smaller plan is granted',
    async () => {
      const { user, key, repoIds } = await patronWith(1, '300');
      const repository = await kit.git.createRepository('patrons/updated', { files: fixture('srv') });
      const { repoId } = (await kit.station.clone(repository.url, {}, { key })).body;
      await run(key, repoId);
      await repository.commit({ 'more.txt': 'more' });
      const stall = kit.git.stall('/patrons/updated/git-upload-pack');
      const update = kit.station.update(repoId, { restart: true }, { key });
      await stall.reached;
      await kit.station.api('PUT', `/auth/owners/${ownerOf(user)}/plan`, { plan: 'small' });
      stall.release();
      expect((await update).body).toMatchObject({ result: { restarted: true } });
      expect(await running(key)).toHaveLength(2);
      await kit.unload(key, repoId, ...repoIds);
    },
    60_000,
  );

  itInMatrix(
    'come back when the same plan allows more',
    async () => {
      const { key, repoIds } = await patronWith(2, '200');
      kit.changePlans([SMALL, planOf('medium', ['200'], { runningApps: 1 }), LARGE]);
      await eventually('one is stopped', async () => (await running(key)).length === 1, 15_000);
      expect(await kit.me(key)).toMatchObject({ plan: 'medium', limits: { runningApps: 1 } });
      kit.changePlans(PLANS);
      await eventually('both run', async () => (await running(key)).length === 2, 15_000);
      await kit.unload(key, ...repoIds);
    },
    60_000,
  );
});

describe('What was asked for before a plan has lapsed', () => {
  beforeAll(() => start({ graceMs: 1_000, retentionMs: 600_000 }));
  afterAll(end);

  it('and gets its turn afterwards starts nothing', async () => {
    const user = kit.member();
    const key = await kit.signIn(user);
    const waits = 'until [ -e go ]; do sleep 0.05; done';
    const repoId = await kit.clone(key, {
      ...fixture('srv'),
      'package.json': packageJson({ start: 'node s.js', postinstall: waits }),
    });
    await kit.station.install(repoId, {}, { key, headers: ASYNC });
    const { body } = await kit.station.run(repoId, {}, { key, headers: ASYNC });
    await kit.change(user, FORMER);
    await kit.becomes(key, 'lapsed');
    writeFileSync(join(kit.station.workspaceDir, repoId, 'go'), '');
    const ended = await eventually(
      'the run has ended',
      async () => {
        const { result } = (await kit.station.operation(body.operationId, { key })).body;
        return result.status === 'failed' && result;
      },
      15_000,
    );
    expect(ended.error).toMatchObject({ code: 'PLAN_LAPSED' });
  }, 30_000);

  itInMatrix(
    'and gets ready afterwards is stopped',
    async () => {
      const user = kit.member();
      const key = await kit.signIn(user);
      const late = 'until [ -e go ]; do sleep 0.05; done; exec node s.js';
      const repoId = await kit.clone(key, { ...fixture('srv'), 'package.json': packageJson({ start: late }) });
      const { body } = await kit.station.run(repoId, {}, { key, headers: ASYNC });
      const hasBegun = async () => (await statusOf(body.operationId, key)) === 'running';
      await eventually('it is starting', hasBegun, 10_000);
      await kit.change(user, FORMER);
      const { notice } = await eventually('the grace is over', async () => {
        const found = await kit.me(key);
        return (found.notice?.appsStopAt ?? Infinity) < Date.now() && found;
      });
      expect(notice?.code).toBe('PLAN_LAPSED');
      writeFileSync(join(kit.station.workspaceDir, repoId, 'go'), '');
      await eventually(
        'it has run, and was stopped',
        async () => {
          const status = await statusOf(body.operationId, key);
          return status !== 'running' && status !== 'queued' && (await kit.stateOf(key, repoId)) === 'stopped';
        },
        15_000,
      );
    },
    30_000,
  );
});
