import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { execa } from 'execa';
import type { Operation } from '../src/contracts/shapes.js';
import { eventually } from './support/eventually.js';
import { fixture, packageJson } from './support/fixtures.js';
import { GIT_ENVIRONMENT } from './support/git-repository.js';
import { commandLine, processesTagged } from './support/processes.mjs';
import type { Station } from './support/station.js';
import { ask } from './support/station-socket.js';
import { filesOf, processesOf, rewriteEntries } from './support/traces.js';
import { useStation } from './support/use-station.js';
import { itInMatrix } from './support/matrix.js';

/** Where it is about the queue and the workers: without a sandbox an operation takes half the time. */
const SANDBOX = 'none';

const ASYNC = { headers: { prefer: 'respond-async' } };
/** Twice what is promised for light operations: the machine that tests has more to do. */
const LIGHT_MS = 4_000;

const isListed = async (station: Station, repoId: string): Promise<boolean> => {
  const { body } = await station.api<{ repositories: { repoId: string }[] }>('GET', '/repo/list');
  return body.result.repositories.some((one) => one.repoId === repoId);
};

/** The operation as soon as it has this status. */
function becomes(station: Station, operationId: string, status: Operation['status']): Promise<Operation> {
  return eventually(
    `${operationId} is ${status}`,
    async () => {
      const { body } = await station.operation(operationId);
      return body.result.status === status && body.result;
    },
    20_000,
  );
}

describe('One repository that many ask for at once', () => {
  const kit = useStation({ env: { SANDBOX } });

  it('is cloned once; everybody else is told that it is there', async () => {
    const { git, station } = kit;
    const race = await git.createRepository('race/app', { files: fixture('hello') });
    const alone = await git.createRepository('race/alone', { files: fixture('hello') });
    const stall = git.stall('/race/app/git-upload-pack');
    const socket = await station.socket();
    const outcomes = Array.from({ length: 10 }, async (_, index) => {
      if (index % 2 === 0) return (await station.clone(race.url)).body.code ?? 'cloned';
      const answer = await ask(socket, { operation: 'clone', repoUrl: race.url });
      return (answer as Partial<typeof answer>).error?.code ?? 'cloned';
    });
    await stall.reached;
    expect(await Promise.race(outcomes)).toBe('ALREADY_LOADED');
    stall.release();

    expect((await Promise.all(outcomes)).toSorted()).toEqual([...Array<string>(9).fill('ALREADY_LOADED'), 'cloned']);
    await station.clone(alone.url);
    const requests = (name: string) => git.requests.filter(({ path }) => path.startsWith(`/race/${name}.git/`)).length;
    expect(requests('app')).toBe(requests('alone'));
    const workspace = join(station.workspaceDir, 'race-app');
    // Files in a sandbox belong to another user than the one that runs the tests.
    const inside = ['-c', 'safe.directory=*', '-C', workspace];
    await execa('git', [...inside, 'fsck', '--strict'], { env: GIT_ENVIRONMENT, extendEnv: false });
    expect(existsSync(join(workspace, '.git', 'index.lock'))).toBe(false);
  });

  it('is a repository of its own for each owner', async () => {
    const { git, station } = kit;
    const { url } = await git.createRepository('owners/app', { files: fixture('hello') });
    const keys = await Promise.all(['ann', 'bob', 'cem'].map((owner) => station.createKey(owner)));
    const clones = await Promise.all(keys.map((key) => station.clone(url, {}, { key })));
    expect(clones.map(({ status, body }) => [status, body.repoId])).toEqual(keys.map(() => [201, 'owners-app']));
    expect(new Set(clones.map(({ body }) => body.uid)).size).toBe(3);
    expect(filesOf(station).filter((name) => name.startsWith('owners-app'))).toHaveLength(3);
  });

  it('is cloned to its end when everybody who asked has gone', async () => {
    const { git, station } = kit;
    const { url } = await git.createRepository('gone/app', { files: fixture('hello') });
    const stall = git.stall('/gone/app/git-upload-pack');
    const sockets = await Promise.all(Array.from({ length: 5 }, () => station.socket()));
    for (const socket of sockets) socket.emit('repo-operation', { operation: 'clone', repoUrl: url });
    await stall.reached;
    for (const socket of sockets) socket.close();
    stall.release();

    const { body } = await station.api<{ operations: Operation[] }>('GET', '/repo/gone-app/operations');
    expect(body.result.operations).toHaveLength(1);
    const { operationId } = body.result.operations[0] as Operation;
    const { result } = await becomes(station, operationId, 'succeeded');
    const again = await ask(await station.socket(), { operation: 'operation', options: { operationId } });
    expect(again.result).toMatchObject({ status: 'succeeded', result });
  });
});

describe('Operations that meet on one repository', () => {
  const kit = useStation();
  let docked = 0;

  async function dock(files: Record<string, string>): Promise<{ repoId: string; uid: string; workspace: string }> {
    const { url } = await kit.git.createRepository(`meet/app${++docked}`, { files });
    const { status, body } = await kit.station.clone(url);
    expect(status).toBe(201);
    return { repoId: body.repoId, uid: body.uid, workspace: join(kit.station.workspaceDir, body.repoId) };
  }

  async function expectGone({ repoId, uid }: { repoId: string; uid: string }): Promise<void> {
    const { station } = kit;
    expect(processesOf(station, uid)).toEqual([]);
    expect(filesOf(station).filter((name) => name.includes(uid) || name === repoId)).toEqual([]);
    expect(await isListed(station, repoId)).toBe(false);
    expect((await station.entry(uid)).status).toBe(404);
  }

  it('an unload ends the clone that is under way', async () => {
    const { git, station } = kit;
    const { url } = await git.createRepository('meet/slow', { files: fixture('hello') });
    const stall = git.stall('/meet/slow/git-upload-pack');
    const clone = station.clone(url);
    await stall.reached;
    const { uid, repoId } = (await station.entry('meet-slow')).body.result;
    expect(processesOf(station, uid)).not.toEqual([]);

    const unload = await station.unload(repoId);
    expect([unload.status, unload.body.result]).toMatchObject([200, { unloaded: true, appStopped: false }]);
    expect((await clone).body).toMatchObject({ code: 'CANCELLED', operation: 'clone' });
    await expectGone({ repoId, uid });
    stall.release();
    expect((await station.clone(url)).status).toBe(201);
  });

  it('an unload ends an install that keeps on writing', async () => {
    const { station } = kit;
    const app = await dock({
      'package.json': packageJson({ preinstall: 'node write.js & node write.js' }),
      'write.js': `const fs = require('node:fs'); let n = 0;
        for (;;) { fs.mkdirSync('made', { recursive: true }); fs.writeFileSync('made/' + process.pid + '.' + n++ % 500, 'x'); }`,
    });
    const install = station.install(app.repoId);
    await eventually('the install writes', () => existsSync(join(app.workspace, 'made')), 15_000);
    expect((await station.unload(app.repoId)).status).toBe(200);
    expect((await install).body).toMatchObject({ code: 'CANCELLED', operation: 'install' });
    await expectGone(app);
  });

  itInMatrix('an unload ends an app that makes its files anew, with all that it has started', async () => {
    const { station } = kit;
    const app = await dock({
      'package.json': packageJson({ start: 'node start.js' }),
      'start.js': `const { spawn } = require('node:child_process');
        spawn(process.execPath, ['write.js'], { detached: true, stdio: 'ignore' }).unref();
        require('./write.js');
        require('node:http').createServer((_, response) => response.end('here')).listen(process.env.PORT);`,
      'write.js': `const fs = require('node:fs');
        process.on('SIGTERM', () => undefined);
        setInterval(() => { fs.mkdirSync(__dirname + '/made', { recursive: true }); fs.writeFileSync(__dirname + '/made/' + process.pid, 'x'); }, 5);`,
    });
    const run = await station.run(app.repoId, { env: { TAG: app.uid } });
    expect(run.body.result.ready).toBe(true);
    expect(processesTagged(app.uid).length).toBeGreaterThan(1);
    const [first, second] = await Promise.all([station.unload(app.repoId), station.unload(app.uid)]);
    expect(first.body.result).toMatchObject({ unloaded: true, appStopped: true });
    expect(second.body.operationId).toBe(first.body.operationId);
    expect(processesTagged(app.uid)).toEqual([]);
    await expectGone(app);
    expect((await station.unload(app.uid)).status).toBe(404);
  });

  it('an update waits for the install before it, and says its place', async () => {
    const { station } = kit;
    const app = await dock({
      'package.json': packageJson({ preinstall: 'node wait.js' }),
      'wait.js': `const fs = require('node:fs');
        fs.writeFileSync('waiting', ''); setInterval(() => fs.existsSync('go') && process.exit(), 20);`,
    });
    const install = station.install(app.repoId);
    await eventually('the install waits', () => existsSync(join(app.workspace, 'waiting')), 15_000);
    const update = await station.update(app.repoId, {}, ASYNC);
    expect(update.body.result).toMatchObject({ status: 'queued', queuePosition: 1 });
    expect((await station.entry(app.repoId)).body.result.activeOperation).toMatchObject({ operation: 'install' });
    writeFileSync(join(app.workspace, 'go'), '');
    expect((await install).status).toBe(200);
    const { startedAt = 0 } = await becomes(station, update.body.operationId, 'succeeded');
    const installed = (await station.operation((await install).body.operationId)).body.result;
    expect(startedAt).toBeGreaterThanOrEqual(Number(installed.finishedAt));
  });

  it('two runs start one app', async () => {
    const { station } = kit;
    const app = await dock(fixture('srv'));
    const runs = await Promise.all([0, 1].map(() => station.run(app.repoId, { env: { TAG: app.uid } })));
    expect(runs.map(({ body }) => body.code ?? 'running').toSorted()).toEqual(['ALREADY_RUNNING', 'running']);
    const commands = processesTagged(app.uid).map(commandLine);
    expect(commands.filter((command) => command === 'node s.js')).toHaveLength(1);
    expect((await station.stop(app.repoId)).body.result).toMatchObject({ stopped: true, alreadyStopped: false });
  });

  it('a stop ends the run that is still starting', async () => {
    const { station } = kit;
    const app = await dock(fixture('never-listens'));
    const run = station.run(app.repoId, { env: { TAG: app.uid } });
    await eventually('the app has started', () => processesTagged(app.uid).length > 0);
    expect((await station.stop(app.repoId)).body.result).toMatchObject({ stopped: true, alreadyStopped: false });
    expect((await run).body).toMatchObject({ code: 'CANCELLED', operation: 'run' });
    expect((await station.entry(app.repoId)).body.result.state).toBe('stopped');
    expect(processesOf(station, app.uid)).toEqual([]);
  });

  it('a stop ends the run that has not begun yet', async () => {
    const { station } = kit;
    const app = await dock({
      'package.json': packageJson({
        start: 'node index.js',
        preinstall: 'node wait.js',
      }),
      'wait.js': `require('node:fs').writeFileSync('waiting', ''); setInterval(() => undefined, 1000);`,
      'index.js': 'setInterval(() => undefined, 1000)',
    });
    const install = await station.install(app.repoId, {}, ASYNC);
    await eventually('the install waits', () => existsSync(join(app.workspace, 'waiting')), 15_000);
    const run = await station.run(app.repoId, {}, ASYNC);
    expect(run.status).toBe(202);
    expect((await station.stop(app.repoId)).body.result).toMatchObject({ stopped: true, alreadyStopped: true });
    expect((await station.operation(run.body.operationId)).body.result.status).toBe('cancelled');
    expect((await station.operation(install.body.operationId)).body.result.status).toBe('running');
    await station.unload(app.repoId);
  });

  it('what waits behind a clone can be cancelled, and ends with it', async () => {
    const { git, station } = kit;
    const { url } = await git.createRepository('meet/behind', { files: fixture('hello') });
    const stall = git.stall('/meet/behind/git-upload-pack');
    const clone = await station.clone(url, {}, ASYNC);
    await stall.reached;
    const [install, update] = await Promise.all([
      station.install(clone.body.uid, {}, ASYNC),
      station.update(clone.body.uid, {}, ASYNC),
    ]);
    const cancels = await Promise.all([clone, install, update].map(({ body }) => station.cancel(body.operationId)));
    expect(cancels.map(({ status, body }) => [status, body.result.status])).toEqual(
      [0, 1, 2].map(() => [200, 'cancelled']),
    );
    stall.release();
    await expectGone({ repoId: 'meet-behind', uid: clone.body.uid });
  });
});

describe('A station whose workers are all busy', () => {
  const kit = useStation({ env: { MAX_WORKERS: '2', MAX_QUEUE: '3', SANDBOX } });

  async function stalledClone(name: string) {
    const { url } = await kit.git.createRepository(`busy/${name}`, { files: fixture('hello') });
    const stall = kit.git.stall(`/busy/${name}/git-upload-pack`);
    const { status, body } = await kit.station.clone(url, {}, ASYNC);
    return { stall, status, body, url };
  }

  it('answers what is light, refuses what is too much, and carries the rest out in the end', async () => {
    const { git, station } = kit;
    const app = (await station.clone((await git.createRepository('busy/app', { files: fixture('srv') })).url)).body;
    await station.run(app.repoId, { env: { TAG: app.uid } });
    const clones = [];
    for (const name of ['a', 'b', 'c', 'd', 'e']) clones.push(await stalledClone(name));
    const [a, b, c, d, e] = clones as [(typeof clones)[0], ...typeof clones];
    await Promise.all([a.stall.reached, b?.stall.reached]);
    expect(clones.map(({ status }) => status)).toEqual(Array(5).fill(202));
    const positions = await Promise.all(clones.map(({ body }) => station.operation(body.operationId)));
    expect(positions.map(({ body }) => body.result.queuePosition ?? 0)).toEqual([0, 0, 1, 2, 3]);

    const refused = await stalledClone('f');
    expect([refused.status, refused.body.code]).toEqual([429, 'QUEUE_FULL']);
    expect(await isListed(station, 'busy-f')).toBe(false);
    refused.stall.release();

    const light = [
      () => station.status(app.repoId),
      () => station.api('GET', `/repo/${app.repoId}/logs?tail=10`),
      () => station.api('GET', '/health/live'),
      () => station.stop(app.repoId),
      () => station.unload(app.repoId),
    ];
    for (const request of light) {
      const startedAt = Date.now();
      expect((await request()).status).toBe(200);
      expect(Date.now() - startedAt).toBeLessThan(LIGHT_MS);
    }
    expect(processesTagged(app.uid)).toEqual([]);

    expect((await station.cancel(String(c?.body.operationId))).body.result.status).toBe('cancelled');
    expect(await isListed(station, 'busy-c')).toBe(false);
    expect((await station.cancel(a.body.operationId)).body.result.status).toBe('cancelled');
    expect(processesOf(station, a.body.uid)).toEqual([]);
    await d?.stall.reached;
    for (const { stall } of clones) stall.release();
    for (const one of [b, d, e]) await becomes(station, String(one?.body.operationId), 'succeeded');
    expect((await station.clone(a.url)).status).toBe(201);
  });
});

describe('The time that an operation may take', () => {
  const TIMEOUT_MS = 5_000;
  const kit = useStation({ env: { MAX_WORKERS: '1', WORKER_TIMEOUT: String(TIMEOUT_MS), SANDBOX } });

  it('is counted from its start, and when it is over nothing is left', async () => {
    const { git, station } = kit;
    const clones = await Promise.all(
      ['a', 'b'].map(async (name) => {
        const { url } = await git.createRepository(`late/${name}`);
        const stall = git.stall(`/late/${name}/git-upload-pack`);
        return { stall, reply: await station.clone(url, {}, ASYNC) };
      }),
    );
    const operations = await Promise.all(clones.map(({ reply }) => becomes(station, reply.body.operationId, 'failed')));
    expect(operations.map(({ error }) => error?.code)).toEqual(['TIMED_OUT', 'TIMED_OUT']);
    for (const { startedAt = 0, finishedAt = 0, timeoutMs } of operations) {
      expect(timeoutMs).toBe(TIMEOUT_MS);
      expect(finishedAt - startedAt).toBeGreaterThanOrEqual(TIMEOUT_MS);
      expect(finishedAt - startedAt).toBeLessThan(2 * TIMEOUT_MS);
    }
    expect(processesOf(station)).toEqual([]);
    expect(filesOf(station)).toEqual([]);
    for (const { stall } of clones) stall.release();
  });

  it('leaves an app the time to get ready that it has by itself', async () => {
    const { git, station } = kit;
    const app = await git.createRepository('late/app', {
      files: {
        'package.json': packageJson({ start: 'node s.js' }),
        's.js': `setTimeout(() => require('node:http').createServer().listen(process.env.PORT), ${TIMEOUT_MS})`,
      },
    });
    const { body } = await station.clone(app.url);
    expect((await station.run(body.repoId)).body.result).toMatchObject({ ready: true, readiness: 'listening' });
    await station.unload(body.repoId);
  });
});

describe('Probes', () => {
  const kit = useStation({ env: { SANDBOX } });
  /** Of Kubernetes, by default. */
  const PROBE_MS = 1_000;
  /** Far more often than Kubernetes, and no load of its own. */
  const PAUSE_MS = 20;

  itInMatrix(
    'are answered in time with a thousand repositories, a flood of output and much work',
    async () => {
      const { git, station } = kit;
      const app = (
        await station.clone(
          (
            await git.createRepository('load/flood', {
              files: {
                'package.json': packageJson({ start: 'node flood.js' }),
                'flood.js': `const line = 'x'.repeat(1000) + '\\n';
          const flood = () => { while (process.stdout.write(line)); }; process.stdout.on('drain', flood); flood();
          require('node:http').createServer().listen(process.env.PORT);`,
              },
            })
          ).url,
        )
      ).body;
      await station.kill('SIGTERM');
      rewriteEntries(
        station,
        ([entry]) =>
          entry &&
          Array.from({ length: 1_000 }, (_, index) => ({
            ...entry,
            uid: `r_copy${index}`,
            repoId: `load-copy${index}`,
            workspace: `load-copy${index}`,
            canonicalUrl: `${entry.canonicalUrl}${index}`,
          })),
      );
      await station.restart();
      expect((await station.run(app.repoId)).body.result.ready).toBe(true);

      const work = Promise.all(
        Array.from({ length: 2 }, async (_, index) => {
          const { url } = await git.createRepository(`load/app${index}`, { files: fixture('hello') });
          const clone = await station.clone(url);
          return [clone.status, (await station.install(clone.body.repoId)).status];
        }),
      );
      const times: number[] = [];
      const state = { working: true };
      const over = work.finally(() => (state.working = false));
      while (state.working) {
        for (const probe of ['live', 'ready']) {
          const startedAt = performance.now();
          const { status, body } = await station.api('GET', `/health/${probe}`, undefined, { key: null });
          times.push(performance.now() - startedAt);
          expect([status, body.status]).toEqual([200, 'ok']);
          await delay(PAUSE_MS);
        }
      }
      expect((await over).flat()).toEqual(Array.from({ length: 2 }, () => [201, 200]).flat());
      times.sort((one, other) => one - other);
      expect(times[Math.floor(times.length * 0.99)]).toBeLessThan(PROBE_MS);
      expect((await station.unload(app.repoId)).status).toBe(200);
    },
    60_000,
  );
});
