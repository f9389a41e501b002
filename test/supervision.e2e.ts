import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { writeFileSync } from 'node:fs';
import type { Operation, Repository } from '../src/contracts/shapes.js';
import { eventually } from './support/eventually.js';
import { packageJson } from './support/fixtures.js';
import { freePort } from './support/ports.js';
import { processesTagged } from './support/processes.mjs';
import { nextEvent } from './support/station-socket.js';
import { useStation } from './support/use-station.js';
import { itInMatrix, sample } from './support/matrix.js';

/** An app is taken for one that has lived after ten seconds. */
const LIVED_MS = 10_000;
const MS = 90_000; // of a test in which an app has to live that long

/** On the host's own network a stranger can take an app's port. */
const kit = useStation({ env: { APP_RESTART_DELAY_MS: '100', SANDBOX: 'none' } });
let docked = 0;

/** Does what `lives` says for the first, the second … of its lives; the last one is for all that follow. */
async function dock(...lives: string[]): Promise<string> {
  const app = `
    const fs = require('node:fs');
    const life = fs.existsSync('lives') ? fs.readFileSync('lives').length : 0;
    fs.appendFileSync('lives', '.');
    let healthy = true;
    const listen = () => require('node:http')
      .createServer((_, response) => response.writeHead(healthy ? 200 : 503).end('life ' + (life + 1)))
      .listen(process.env.PORT);
    const die = () => { console.log('last words'); throw new Error('no database'); };
    [${lives.map((life) => `() => { ${life} }`).join(',')}].slice(0, life + 1).at(-1)();`;
  const { url } = await kit.git.createRepository(`supervised/app${++docked}`, {
    files: { 'package.json': packageJson({ start: 'exec node app.js' }), 'app.js': app },
  });
  return (await kit.station.clone(url)).body.repoId;
}

const entry = async (repoId: string): Promise<Repository> => (await kit.station.entry(repoId)).body.result;

const becomes = (repoId: string, state: Repository['state']) =>
  eventually(
    `${repoId} is ${state}`,
    async () => {
      const found = await entry(repoId);
      return found.state === state && found;
    },
    30_000,
  );

const runsOf = async (repoId: string): Promise<Operation[]> => {
  const { body } = await kit.station.api<{ operations: Operation[] }>('GET', `/repo/${repoId}/operations`);
  return body.result.operations.filter(({ operation }) => operation === 'run');
};

const page = async (repoId: string): Promise<string> =>
  (await fetch(String((await entry(repoId)).app?.url), { headers: { connection: 'close' } })).text();

describe('an app that dies after it has lived', () => {
  it(
    'is started again, also when it dies soon after that, and is in a crash loop when nothing helps',
    async () => {
      const repoId = await dock(`listen(); setTimeout(die, ${LIVED_MS})`, 'die()');
      const socket = await kit.station.socket();
      const of = (type: string) => (event: { repoId: string; type: string }) =>
        event.repoId === repoId && event.type === type;
      const [exit, restart] = [
        nextEvent(socket, 'repo-event', of('app-exit'), 30_000),
        nextEvent(socket, 'repo-event', of('restart'), 30_000),
      ];
      expect((await kit.station.run(repoId)).body.result).toMatchObject({ ready: true, restarts: 0 });
      expect(await exit).toMatchObject({
        state: 'stopped',
        reason: { code: 'APP_EXITED', message: expect.stringContaining('Error: no database') as string },
        app: { stopReason: 'restarting', restarts: 0 },
      });
      await restart;

      const { stateReason, app } = await becomes(repoId, 'error');
      expect(app).toMatchObject({
        pid: null,
        exitCode: 1,
        restarts: 5,
        stopReason: 'crashed',
        stopMessage: 'Error: no database',
      });
      expect(stateReason).toMatchObject({
        code: 'CRASH_LOOP',
        message: expect.stringMatching(
          /^Started again 5 times in a row: the app exited with code 1 \d+ ms after/,
        ) as string,
        context: { exitCode: 1, signal: null, restarts: 5 },
      });
      expect(stateReason?.context?.lastLines).toEqual(expect.arrayContaining(['last words', 'Error: no database']));
      const runs = await eventually('every run is over', async () => {
        const all = await runsOf(repoId);
        return all.every(({ finishedAt }) => finishedAt) && all;
      });
      expect(runs.map(({ owner }) => owner)).toEqual([...Array<string>(5).fill('station'), 'admin']);
      expect(runs.map(({ error }) => error?.code)).toEqual([...Array<string>(5).fill('APP_EXITED'), undefined]);

      writeFileSync(join(kit.station.workspaceDir, repoId, 'app.js'), 'setInterval(() => undefined, 1000)');
      const mended = (await kit.station.run(repoId, { readyTimeoutMs: 100 })).body.result;
      expect(mended).toMatchObject({ restarts: 0, readiness: 'timeout' });
      expect((await entry(repoId)).stateReason).toBeUndefined();
    },
    MS,
  );

  it(
    'of its liveness checks is started again as well',
    async () => {
      const sick = `listen(); setTimeout(() => { healthy = false; }, ${LIVED_MS - 2_000})`;
      const repoId = await dock(sick, 'listen()');
      const liveness = { http: '/', intervalMs: 1_000 };
      const { pid } = (await kit.station.run(repoId, { ready: { http: '/' }, liveness })).body.result;
      const back = await eventually(
        'it has come back',
        async () => {
          const { app } = await entry(repoId);
          return app?.ready === true && app.pid !== pid && app;
        },
        30_000,
      );
      expect(back.restarts).toBe(1);
      expect(await page(repoId)).toBe('life 2');
      const [, first] = (await runsOf(repoId)).map(({ operationId }) => operationId);
      const log = await kit.station.api<{ lines: { text: string }[] }>('GET', `/operations/${first}/logs`);
      expect(log.body.result.lines.at(-1)?.text).toBe('The app was ended by SIGTERM');
    },
    MS,
  );

  itInMatrix(
    'stays down when its policy says so',
    async () => {
      const repoId = await dock(`listen(); setTimeout(die, ${LIVED_MS})`, 'listen()');
      await kit.station.run(repoId, { restartPolicy: 'no' });
      expect((await becomes(repoId, 'error')).stateReason).toMatchObject({ code: 'APP_EXITED' });
      expect(await runsOf(repoId)).toHaveLength(1);
    },
    MS,
  );
});

describe('an app that is ready', () => {
  it('is followed to another port, and that is told', async () => {
    const moves = `const serve = (port) => {
      const server = require('node:http').createServer(({ url }, response) => {
        const move = () => url === '/move' && server.close(() => serve(0));
        response.writeHead(200, { connection: 'close' }).end('here', move);
      }).listen(port);
    };
    serve(process.env.PORT);`;
    const repoId = await dock(moves);
    const socket = await kit.station.socket();
    const { url } = (await kit.station.run(repoId)).body.result;
    const moved = nextEvent(socket, 'repo-event', (event) => event.repoId === repoId && event.type === 'port', 10_000);
    expect(await (await fetch(`${url}/move`)).text()).toBe('here');
    const { app } = await moved;
    expect(app?.url).not.toBe(url);
    await kit.station.unload(repoId);
  });
});

describe('an app that an update has seen live', () => {
  it(
    'is started again however soon it dies, also when something is installed meanwhile, and its log can be followed',
    async () => {
      const { git, station } = kit;
      const app = (text: string) =>
        `require('node:http').createServer().listen(process.env.PORT, () => console.log('${text}'))`;
      const scripts = { start: 'exec node app.js', install: 'until [ -e go ]; do sleep 0.05; done' };
      const repository = await git.createRepository('supervised/proven', {
        files: { 'package.json': packageJson(scripts), 'app.js': app('v1') },
      });
      const { repoId } = (await station.clone(repository.url)).body;
      await station.run(repoId);
      await repository.commit({ 'app.js': app('v2') });
      expect((await station.update(repoId, { restart: true })).body.result).toMatchObject({ restarted: true });
      const { app: proven } = await entry(repoId);
      const install = station.install(repoId);
      await eventually('it is being installed', async () => {
        const { activeOperation: active } = await entry(repoId);
        return active?.operation === 'install' && active.queuePosition === undefined;
      });
      process.kill(Number(proven?.pid), 'SIGKILL');
      expect((await becomes(repoId, 'stopped')).app).toMatchObject({ stopReason: 'restarting' });
      const log = await station.api<{ nextCursor: string }>('GET', `/repo/${repoId}/logs`);
      const following = await fetch(`${station.url}/repo/${repoId}/logs`, {
        headers: {
          authorization: `Bearer ${station.adminKey}`,
          accept: 'text/event-stream',
          'last-event-id': log.body.result.nextCursor,
        },
      });
      expect(following.status).toBe(200); // 204 would be that nothing comes any more
      await following.body?.cancel();
      writeFileSync(join(station.workspaceDir, repoId, 'go'), '');
      expect((await install).status).toBe(200);
      expect((await becomes(repoId, 'running')).app).toMatchObject({ restarts: 1 });
    },
    MS,
  );
});

describe('an app that ran when the server died', () => {
  itInMatrix(
    'is given another chance when it does not come up at once, and its restarts are counted on',
    async () => {
      const repoId = await dock('listen()', 'die()', 'die()', 'listen()');
      await kit.station.run(repoId);
      await kit.station.kill('SIGKILL');
      await kit.station.restart();
      await eventually(
        'it has come back',
        async () => {
          const { app } = await entry(repoId);
          return app?.ready === true && app.restarts === 3;
        },
        30_000,
      );
      expect(await page(repoId)).toBe('life 4');
      await kit.station.restart();
      await eventually('it is back again', async () => (await entry(repoId)).app?.ready === true, 30_000);
      expect((await entry(repoId)).app?.restarts).toBe(3);
    },
    MS,
  );

  const strangers: [string, boolean][] = [
    ['comes back once the stranger on its port has gone', true],
    ['says that it cannot when the stranger on its port stays', false],
  ];
  it.each(sample(strangers))(
    '%s',
    async (_, leaves) => {
      const port = await freePort();
      const repoId = await dock('listen()');
      await kit.station.run(repoId, { port, env: { TAG: repoId } });
      await kit.station.kill('SIGKILL');
      for (const pid of processesTagged(repoId)) process.kill(pid, 'SIGKILL');
      const stranger = await eventually('the port is free', () => strangerOn(port));
      await kit.station.restart();
      try {
        const failed = await eventually('a return has failed', async () =>
          (await runsOf(repoId)).find(({ error }) => error),
        );
        expect(failed).toMatchObject({ owner: 'station', error: { code: 'PORT_IN_USE' } });
        if (leaves) stranger.close();
        const { stateReason } = await becomes(repoId, leaves ? 'running' : 'error');
        if (leaves) await eventually('it listens', async () => (await entry(repoId)).app?.port === port);
        else
          expect(stateReason).toMatchObject({
            code: 'PORT_IN_USE',
            message: expect.stringContaining(String(port)) as string,
          });
      } finally {
        if (stranger.listening) stranger.close();
      }
    },
    MS,
  );
});

async function strangerOn(port: number): Promise<Server | undefined> {
  const server = createServer().listen(port, '127.0.0.1');
  return once(server, 'listening').then(
    () => server,
    () => undefined,
  );
}
