import { once } from 'node:events';
import { Agent, request, type IncomingMessage } from 'node:http';
import type { App, Operation, Repository } from '../src/contracts/shapes.js';
import { eventually } from './support/eventually.js';
import { fixture, packageJson } from './support/fixtures.js';
import { sample } from './support/matrix.js';
import { alive, processesTagged } from './support/processes.mjs';
import type { Station } from './support/station.js';
import { filesOf, processesOf } from './support/traces.js';
import { useStation } from './support/use-station.js';

const ASYNC = { headers: { prefer: 'respond-async' } };

/** Takes SIGTERM for no reason to end. */
const STUBBORN = {
  'package.json': packageJson({ start: 'node stubborn.js' }),
  'stubborn.js': `process.on('SIGTERM', () => console.log('not yet'));
    require('node:http').createServer((_, response) => response.end('here')).listen(process.env.PORT);`,
};

const appOf = async (station: Station, repoId: string): Promise<App | undefined> =>
  (await station.entry(repoId)).body.result.app;

/** The app once it has come back: another process than before. */
function returned(station: Station, repoId: string, before: number | null): Promise<Repository> {
  return eventually(
    `the app of ${repoId} has come back`,
    async () => {
      const { result } = (await station.entry(repoId)).body;
      return result.state === 'running' && result.app?.ready === true && result.app.pid !== before && result;
    },
    20_000,
  );
}

describe('A station that is told to end', () => {
  const kit = useStation({ env: { MAX_WORKERS: '1', STOP_GRACE_MS: '3000' } });

  it('takes nothing new, ends what is in progress and what runs, and lets go of every connection', async () => {
    const { git, station } = kit;
    const app = (await station.clone((await git.createRepository('end/app', { files: STUBBORN })).url)).body;
    const { url: appUrl, pid } = (await station.run(app.repoId, { restartPolicy: 'no', env: { TAG: app.uid } })).body
      .result;
    const slow = await git.createRepository('end/slow', { files: fixture('hello') });
    const stall = git.stall('/end/slow/git-upload-pack');
    const clone = station.clone(slow.url);
    await stall.reached;
    const waiting = (await station.install('end-slow', {}, ASYNC)).body.operationId;
    const socket = await station.socket();
    const told: string[] = [];
    socket.on('repo-notification', ({ repoId, operation, status }) => told.push(`${repoId} ${operation} ${status}`));
    socket.on('repo-event', ({ repoId, type, state }) => told.push(`${repoId} ${type} ${state}`));
    const disconnected = new Promise((resolve) => socket.once('disconnect', resolve));
    const idle = await idleConnection(station);

    const probe = async (path: string) => (await station.api('GET', path, undefined, { key: null })).status;
    const exit = station.kill('SIGTERM');
    await eventually('the station is not ready', async () => (await probe('/health/ready')) === 503);
    expect(await probe('/health/live')).toBe(200);
    const refused = await Promise.all([
      station.clone(slow.url, { repoId: 'late' }),
      station.status(app.repoId),
      station.run(app.repoId),
    ]);
    expect(refused.map(({ status, body }) => [status, body.code])).toEqual([0, 1, 2].map(() => [503, 'DRAINING']));
    expect(refused[0].headers.get('retry-after')).toMatch(/^\d+$/);
    expect((await clone).body).toMatchObject({ code: 'INTERRUPTED', operation: 'clone', retryable: true });
    process.kill(Number(station.pid), 'SIGTERM');

    expect(await exit).toEqual({ code: 0, signal: null });
    await Promise.all([disconnected, idle.closed]);
    expect(told).toEqual(
      expect.arrayContaining([
        'end-slow clone failed',
        'end-slow install failed',
        'end-slow unloaded cloning',
        'end-app app-exit stopped',
      ]),
    );
    expect(alive(Number(pid))).toBe(false);
    expect([processesOf(station), processesTagged(app.uid)]).toEqual([[], []]);
    await expect(fetch(String(appUrl))).rejects.toThrow('fetch failed');
    await expect(fetch(station.url)).rejects.toThrow('fetch failed');
    stall.release();

    await station.restart();
    const { body } = await station.api<{ operations: Operation[] }>('GET', '/operations');
    const interrupted = body.result.operations.filter(({ repoId }) => repoId === 'end-slow');
    expect(interrupted.map((one) => [one.operation, one.status, one.error?.code])).toEqual([
      ['install', 'failed', 'INTERRUPTED'],
      ['clone', 'failed', 'INTERRUPTED'],
    ]);
    expect(interrupted.map(({ operationId }) => operationId)).toContain(waiting);
    expect(filesOf(station).filter((name) => name.includes('end-slow'))).toEqual([]);
    expect((await station.clone(slow.url)).status).toBe(201);
    expect((await station.entry(app.repoId)).body.result).toMatchObject({
      state: 'stopped',
      app: { stopReason: 'server-stopped' },
    });
  }, 60_000);

  it('ends at once when nothing is in progress', async () => {
    const { station } = kit;
    const startedAt = Date.now();
    expect(await station.kill('SIGINT')).toEqual({ code: 0, signal: null });
    expect(Date.now() - startedAt).toBeLessThan(5_000);
    await station.restart();
  });
});

describe('Apps and the end of the station', () => {
  const kit = useStation({ env: { MAX_WORKERS: '1', MAX_QUEUE: '1', SANDBOX: 'none' } });

  async function start(name: string, options: object): Promise<{ repoId: string; pid: number | null }> {
    const { git, station } = kit;
    const { url } = await git.createRepository(`apps/${name}`, { files: fixture('srv') });
    const { repoId } = (await station.clone(url)).body;
    const { status, body } = await station.run(repoId, options);
    expect([name, status]).toEqual([name, 200]);
    return { repoId, pid: body.result.pid };
  }

  it('come back, more than there is room in the queue, but those that are not to', async () => {
    const { station } = kit;
    const env = { COLOUR: 'teal' };
    const back = [
      await start('default', { env }),
      await start('always', { restartPolicy: 'always' }),
      await start('third', {}),
    ];
    const out = [await start('never', { restartPolicy: 'no' }), await start('stopped', {})];
    await station.stop('apps-stopped');

    for (const end of sample(['SIGKILL', 'SIGTERM'] as const)) {
      const before = await Promise.all(back.map(async ({ repoId }) => (await appOf(station, repoId))?.pid ?? null));
      await station.kill(end);
      await station.restart();
      for (const [index, { repoId }] of back.entries()) {
        const { app } = await returned(station, repoId, before[index] ?? null);
        expect(await (await fetch(String(app?.url), { headers: { connection: 'close' } })).text()).toBe('srv\n');
      }
      for (const { repoId } of out) expect((await station.entry(repoId)).body.result.state).toBe('stopped');
      const first = processesOf(station, (await station.entry(back[0]?.repoId ?? '')).body.result.uid);
      expect(first).toContain((await appOf(station, back[0]?.repoId ?? ''))?.pid);
      expect(processesOf(station, (await station.entry('apps-never')).body.result.uid)).toEqual([]);
    }
    for (const { repoId } of [...back, ...out]) await station.unload(repoId);
    expect(filesOf(station)).toEqual([]);
  }, 120_000);
});

describe('An app in a sandbox', () => {
  const kit = useStation();

  it('comes back also when it was just starting, but not once it was stopped', async () => {
    const { git, station } = kit;
    const { url } = await git.createRepository('apps/bot', { files: fixture('never-listens') });
    const { repoId, uid } = (await station.clone(url)).body;
    const run = station.run(repoId, { env: { TAG: uid } }).catch(() => undefined); // the station ends under it
    const started = () => eventually('the bot has started', () => processesTagged(uid).length > 0, 15_000);
    const isRunning = () =>
      eventually(
        'the bot is running',
        async () => (await station.entry(repoId)).body.result.state === 'running',
        15_000,
      );
    await started();
    await isRunning();
    for (const end of sample(['SIGTERM', 'SIGKILL'] as const)) {
      await station.kill(end);
      await run;
      await station.restart();
      await started();
      await isRunning();
    }
    await station.stop(repoId);
    expect(processesTagged(uid)).toEqual([]);
    await station.restart();
    expect((await station.entry(repoId)).body.result).toMatchObject({ state: 'stopped' });
    expect(processesOf(station, uid)).toEqual([]);
  }, 60_000);
});

/** A kept-alive connection that nothing is asked on any more; resolves when the station has closed it. */
async function idleConnection(station: Station): Promise<{ closed: Promise<unknown> }> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const asked = request(`${station.url}/health/live`, { agent }).end();
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  const { socket } = response;
  const closed = once(socket, 'close');
  await response.resume().toArray();
  return { closed: closed.finally(() => agent.destroy()) };
}
