import { once, setMaxListeners } from 'node:events';
import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { RunResult } from '../src/contracts/operations.js';
import type { Operation } from '../src/contracts/shapes.js';
import { eventually } from './support/eventually.js';
import { packageJson, programs } from './support/fixtures.js';
import { GitServer } from './support/git-server.js';
import { sample } from './support/matrix.js';
import { commandLine, processesMentioning } from './support/processes.mjs';
import { RegistryProxy } from './support/registry-proxy.js';
import { asUser, SERVER_USERS } from './support/server-users.js';
import { Station } from './support/station.js';

const START_MS = 120_000;
const MAX_PROCESSES = 128;
const PROMPT_MS = 3_000;

const page = async (url: string | null): Promise<string> =>
  (await fetch(String(url), { headers: { connection: 'close' } })).text();

/** Clones a repository of these scripts and resolves with its id. */
async function dock(station: Station, git: GitServer, name: string, scripts: Record<string, string>, more = {}) {
  const files = { 'package.json': packageJson(scripts, { name, ...more }), ...programs() };
  const { url } = await git.createRepository(`net/${name}`, { files });
  return (await station.clone(url)).body.repoId;
}

describe.each(SERVER_USERS)('on a server of $name, an app with a network of its own', (user) => {
  let git: GitServer;
  let registry: RegistryProxy;
  let station: Station;
  let stranger: Server;

  beforeAll(async () => {
    git = await GitServer.start();
    registry = await RegistryProxy.start();
    stranger = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
    await once(stranger, 'listening');
    const env = { NETWORK: 'private', npm_config_registry: registry.url, APP_MAX_PROCESSES: String(MAX_PROCESSES) };
    station = await Station.start({ allowedHosts: [git.host], launcher: asUser(user), uid: user.uid, env });
  }, START_MS);

  afterAll(async () => {
    await station?.close();
    stranger?.close();
    await registry?.close();
    await git?.close();
  });

  const run = async (repoId: string, options = {}): Promise<RunResult> => {
    const { body } = await station.run(repoId, options);
    expect(body).toMatchObject({ success: true });
    return body.result;
  };

  it('has every port, whoever else has it, on whatever address it listens', async () => {
    const apps = { any: '0.0.0.0', loopback: '127.0.0.1', loopback6: '::1', name: 'localhost' };
    const found = await Promise.all(
      Object.entries(apps).map(async ([name, host]) => {
        const repoId = await dock(station, git, name, { start: `node insists-on-port-3000.js ${host}` });
        return { name, app: await run(repoId) };
      }),
    );
    expect(found.map(({ app }) => [app.ready, app.appPort])).toEqual(found.map(() => [true, 3000]));
    expect(new Set(found.map(({ app }) => app.port)).size).toBe(found.length);
    const pages = await Promise.all(found.map(({ app }) => page(app.url)));
    expect(pages).toEqual(found.map(({ name }) => `${name} 0`));
    for (const { name } of found) {
      expect((await station.stop(`net-${name}`)).body.result).toMatchObject({ stopped: true });
    }
    await expect(page(found[0]?.app.url ?? null)).rejects.toThrow('fetch failed');
  }, 60_000);

  it('is reached by many visitors at once, and pays for none with its own processes', async () => {
    const repoId = await dock(station, git, 'visited', { start: 'exec node insists-on-port-3000.js 127.0.0.1' });
    const { pid, port } = await run(repoId);
    const visitors = Array.from({ length: MAX_PROCESSES + 20 }, () => connect(Number(port), '127.0.0.1'));
    // Whoever is not taken in at once is taken in after a second, and after more than that when there are many.
    const signal = AbortSignal.timeout(PROMPT_MS);
    setMaxListeners(0, signal);
    const answers = visitors.map((socket) => {
      socket.write('GET / HTTP/1.1\r\nHost: app\r\n\r\n');
      return once(socket, 'data', { signal });
    });
    await Promise.all(answers);
    expect((await station.status(repoId)).body.result).toMatchObject({ state: 'running', process: { pid } });
    expect(visitors.filter(({ readableEnded }) => readableEnded)).toEqual([]);
    for (const socket of visitors) socket.destroy();
    await station.stop(repoId);
  }, 60_000);

  it('is reached by each of its ports', async () => {
    const repoId = await dock(station, git, 'several', { start: 'node insists-on-port-3000.js 0.0.0.0 127.0.0.1 ::' });
    await run(repoId);
    const { app } = (await station.status(repoId)).body.result;
    const ports = app?.ports ?? [];
    expect(ports.map(({ appPort }) => appPort).toSorted((a, b) => a - b)).toEqual([3000, 3001, 3002]);
    const pages = await Promise.all(ports.map(({ port }) => page(`http://127.0.0.1:${port}`)));
    expect(pages.toSorted()).toEqual(['several 0', 'several 1', 'several 2']);
    expect(ports.find(({ appPort }) => appPort === app?.appPort)?.port).toBe(app?.port);
    await station.stop(repoId);
  }, 60_000);

  it('is reached wherever it listens at last, however many ports it has had before', async () => {
    // Eight at a time, and eight others soon.
    const app = `
      const { createServer } = require('node:http');
      const move = (from) => {
        const servers = Array.from({ length: 8 }, (_, index) =>
          createServer((_, answer) => answer.end('at ' + (from + index))).listen(from + index));
        if (from === 4060) return console.log('settled');
        setTimeout(() => { for (const one of servers) one.close(); move(from + 10); }, 600);
      };
      move(4000);`;
    const files = { 'package.json': packageJson({ start: 'exec node app.js' }), 'app.js': app };
    const { url } = await git.createRepository('net/moves', { files });
    const { repoId } = (await station.clone(url)).body;
    const { ports = [] } = await run(repoId, { ready: { log: 'settled' } });
    expect(ports.map(({ appPort }) => appPort)).toEqual([4060, 4061, 4062, 4063, 4064, 4065, 4066, 4067]);
    const pages = await Promise.all(ports.map(({ port }) => page(`http://127.0.0.1:${port}`)));
    expect(pages).toEqual(ports.map(({ appPort }) => `at ${appPort}`));
    await station.stop(repoId);
  }, 60_000);

  /** The process of its sandbox with this in its command line. */
  const helperOf = async (repoId: string, text: string): Promise<number> => {
    const { uid } = (await station.entry(repoId)).body.result;
    const found = processesMentioning(`:${uid}:`).filter((pid) => commandLine(pid).includes(text));
    expect(found).toHaveLength(1);
    return Number(found[0]);
  };

  it('is reached all the same when what leads to it was killed', async () => {
    const repoId = await dock(station, git, 'led', { start: 'exec node insists-on-port-3000.js 127.0.0.1 ::1' });
    const { url, pid } = await run(repoId);
    process.kill(await helperOf(repoId, 'process.on('), 'SIGKILL');
    expect(await eventually('it answers again', () => page(url).catch(() => undefined))).toBe('led 0');
    expect((await station.entry(repoId)).body.result.app).toMatchObject({ pid, url, ready: true });
    await station.stop(repoId);
  }, 60_000);

  it('has crashed when its network was taken away, and says so', async () => {
    const repoId = await dock(station, git, 'cut-off', { start: 'exec node insists-on-port-3000.js 0.0.0.0' });
    await run(repoId);
    process.kill(await helperOf(repoId, '--netns-type=path'), 'SIGKILL');
    const ended = await eventually(
      'it has ended',
      async () => {
        const { result } = (await station.entry(repoId)).body;
        return result.state !== 'running' && result;
      },
      20_000,
    );
    expect(ended).toMatchObject({
      state: 'error',
      stateReason: { code: 'APP_EXITED', message: expect.stringContaining('slirp4netns has ended') as string },
      app: { pid: null, stopReason: 'crashed' },
    });
  }, 60_000);

  it('has an install that fails at once when its network was taken away', async () => {
    const repoId = await dock(station, git, 'cut-short', { install: 'sleep 60', start: 'true' });
    const install = station.install(repoId);
    const hasBegun = () => processesMentioning(repoId).some((pid) => commandLine(pid) === 'sleep 60');
    await eventually('it has begun', hasBegun, 20_000);
    process.kill(await helperOf(repoId, '--netns-type=path'), 'SIGKILL');
    const { status, body } = await install;
    expect([status, body.code]).toEqual([503, 'SANDBOX_UNAVAILABLE']);
    expect(body.detail).toContain('slirp4netns has ended');
  }, 60_000);

  const inUse: [string, () => number][] = [
    ['a stranger has', () => (stranger.address() as AddressInfo).port],
    ['the station has', () => station.port],
  ];
  it.each(sample(inUse))(
    'that asks for a port which %s gets it inside, and another one outside',
    async (name, taken) => {
      const repoId = await dock(station, git, `asks-${name.split(' ')[1]}`, { start: 'node listens.js' });
      const app = await run(repoId, { port: taken() });
      expect(app).toMatchObject({ ready: true, appPort: taken(), requestedPort: taken() });
      expect(app.port).not.toBe(taken());
      expect((await fetch(String(app.url), { headers: { connection: 'close' } })).status).toBe(200);
      await station.stop(repoId);
    },
  );

  it('that asks for a free port has it inside and outside', async () => {
    const repoId = await dock(station, git, 'asks-free', { start: 'node listens.js' });
    const { port } = await run(repoId);
    await station.stop(repoId);
    const app = await run(repoId, { port });
    expect(app).toMatchObject({ port, appPort: port });
    expect(app).not.toHaveProperty('requestedPort');
    await station.stop(repoId);
  });

  it('and an install reach the registry on the loopback of the host, and nothing else that is no part of the internet', async () => {
    const own = Object.values(networkInterfaces()).flatMap((list = []) => list.map(({ address }) => address));
    const hosts = [...own, '10.1.2.3', '172.16.0.1', '192.168.0.1', '100.64.0.1', '169.254.169.254', '198.18.0.1'];
    const refused = hosts.filter((host) => host !== '127.0.0.1' && !host.includes('%'));
    const { host } = new URL(registry.url);
    const targets = [host, `127.0.0.1:${station.port}`, ...refused.map((one) => `${one}:${station.port}`)];
    const repoId = await dock(
      station,
      git,
      'connects',
      { install: `node connects-out.js ${targets.join(' ')}`, start: `node connects-out.js ${targets.join(' ')}` },
      { dependencies: { 'left-pad': '1.3.0' } },
    );
    const install = await station.install(repoId);
    expect(install.body).toMatchObject({ success: true, result: { packageManager: { used: 'npm' } } });
    expect(registry.requests).toContain('/left-pad');
    const app = await station.run(repoId, { background: false });
    const { body } = await station.api<{ lines: { text: string }[] }>('GET', `/repo/${repoId}/logs?source=install`);
    for (const text of [body.result.lines.map((line) => line.text).join('\n'), String(app.body.result.output)]) {
      const outcomes = new Map(text.split('\n').map((line) => line.split(' ') as [string, string]));
      expect(outcomes.get(host)).toBe('connected');
      for (const target of targets.slice(1)) {
        expect([target, outcomes.get(target)]).toEqual([
          target,
          expect.stringMatching(/^E(CONNREFUSED|HOSTUNREACH|NETUNREACH|INVAL)$/),
        ]);
      }
    }
  }, 60_000);

  it('says so everywhere', async () => {
    const { body } = await station.api('GET', '/health');
    expect(body).toMatchObject({ details: { isolation: { driver: 'bubblewrap', network: { mode: 'private' } } } });
    const repository = (await station.entry('net-connects')).body.result;
    expect(repository).toMatchObject({ isolation: { driver: 'bubblewrap' }, network: { mode: 'private' } });
    const { result } = (await station.api<{ operations: Operation[] }>('GET', '/repo/net-connects/operations')).body;
    const reports = result.operations.map(({ operation, network }) => [operation, network.mode]);
    expect(reports).toEqual([
      ['run', 'private'],
      ['install', 'private'],
      ['clone', 'shared'],
    ]);
    for (const operation of result.operations) {
      expect(operation).toMatchObject({ isolation: { driver: 'bubblewrap' }, limits: repository.limits });
    }
  });
});
