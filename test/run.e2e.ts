import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { basename, join } from 'node:path';
import { eventually } from './support/eventually.js';
import { fixture, packageJson, programs } from './support/fixtures.js';
import { IS_MATRIX, sample } from './support/matrix.js';
import { freePort } from './support/ports.js';
import { alive, processesTagged } from './support/processes.mjs';
import { ask, nextEvent } from './support/station-socket.js';
import { useStation, type Kit } from './support/use-station.js';

let kit: Kit;
let docked = 0;

async function dock(scripts: Record<string, string>, files = programs()): Promise<string> {
  const { url } = await kit.git.createRepository(`run/app${++docked}`, {
    files: { 'package.json': packageJson(scripts), ...files },
  });
  return (await kit.station.clone(url)).body.repoId;
}

/** The repository's state without a look at its processes: what the station believes. */
const entry = async (repoId: string) => (await kit.station.entry(repoId)).body.result;
const workspaceHas = (repoId: string, name: string) => existsSync(join(kit.station.workspaceDir, repoId, name));

async function logOf(repoId: string): Promise<string[]> {
  const { body } = await kit.station.api<{ lines: { text: string }[] }>('GET', `/repo/${repoId}/logs`);
  return body.result.lines.map(({ text }) => text);
}

async function isRefused(port: number): Promise<boolean> {
  return fetch(`http://127.0.0.1:${port}`, { headers: { connection: 'close' } }).then(
    () => false,
    () => true,
  );
}

/** Whether there is a sandbox or not, an app is started, watched and ended alike. */
describe.each(IS_MATRIX ? ['none'] : ['bubblewrap'])('with SANDBOX=%s', (SANDBOX) => {
  const own = useStation({ env: { SANDBOX } });
  beforeAll(() => (kit = own));

  describe('an app that ends', () => {
    it.each([
      ['exit 1', { exitCode: 1 }],
      ['kill -SEGV $$', { signal: 'SIGSEGV' }],
    ])('by "%s" is a failed run, and nothing says that it runs', async (script, end) => {
      const repoId = await dock({ start: `echo last words; ${script}` });
      const { status, body } = await kit.station.run(repoId);
      expect([status, body]).toMatchObject([
        422,
        { code: 'APP_EXITED', context: { ...end, lastLines: expect.arrayContaining(['last words']) as string[] } },
      ]);
      expect(await entry(repoId)).toMatchObject({ state: 'error', app: { pid: null, ready: false, ...end } });
      expect((await kit.station.status(repoId)).body.result.process).toBeNull();
    });

    it('because nothing was built is told how to build', async () => {
      const repoId = await dock({ start: 'node dist/main.js', build: 'mkdir -p dist && cp listens.js dist/main.js' });
      const { body } = await kit.station.run(repoId);
      expect([body.code, body.suggestion]).toEqual(['APP_EXITED', expect.stringContaining('"script": "build"')]);
      expect((await kit.station.run(repoId, { script: 'build', background: false })).body.result.exitCode).toBe(0);
      expect((await kit.station.run(repoId)).body.result.ready).toBe(true);
    });

    it('long after its start is not said to run once it is dead', async () => {
      const repoId = await dock({ start: 'node listens.js' });
      const { pid } = (await kit.station.run(repoId, { restartPolicy: 'no' })).body.result;
      const ended = nextEvent(await kit.station.socket(), 'repo-event', (event) => event.type === 'app-exit');
      process.kill(Number(pid), 'SIGKILL');
      expect(await ended).toMatchObject({ repoId, state: 'error' });
      const { state, process: running, app } = (await kit.station.status(repoId)).body.result;
      expect([state, running, app]).toMatchObject(['error', null, { pid: null, signal: 'SIGKILL' }]);
    });

    it('at once, again and again, leaves no file open in the station', async () => {
      const repoId = await dock({}, fixture('hello'));
      const open = () => readdirSync(`/proc/${kit.station.pid}/fd`).length;
      await kit.station.run(repoId);
      const before = open();
      for (let time = 0; time < (IS_MATRIX ? 10 : 4); time += 1) {
        expect((await kit.station.run(repoId)).body.result).toMatchObject({ readiness: 'exited', exitCode: 0 });
      }
      await eventually('as many files are open as before', () => open() <= before + 2);
      expect((await entry(repoId)).state).toBe('stopped');
    }, 60_000);
  });

  describe('an app that is stopped', () => {
    const trees = [
      ['a daemon', './double-forks.sh node listens.js'],
      ['a detached child', 'node detached-child.js listens.js'],
      ['a shell and its child', 'node listens.js & wait'],
      ['a program', 'node listens.js'],
    ] as const;
    it.each(sample(trees))(
      'is dead, its port is free, and it runs again there: %s',
      async (name, start) => {
        const repoId = await dock({ start });
        const env = { TAG: `stopped-${basename(repoId)}` };
        const { port } = (await kit.station.run(repoId, { env })).body.result;
        expect((await kit.station.stop(repoId)).body.result).toMatchObject({ alreadyStopped: false, forced: false });
        expect(processesTagged(env.TAG)).toEqual([]);
        expect(await isRefused(Number(port))).toBe(true);
        expect((await entry(repoId)).state).toBe('stopped');

        expect((await kit.station.run(repoId, { port, env })).body.result).toMatchObject({ ready: true, port });
        await kit.station.unload(repoId);
        expect(processesTagged(env.TAG)).toEqual([]);
      },
      60_000,
    );

    const stubborn = [
      ['does not want to', 'exec node ignores-sigterm.js', undefined],
      ['has been suspended', 'exec node listens.js', 'SIGSTOP'],
    ] as const;
    it.each(sample(stubborn))(
      'by force when it %s: both who ask are answered when it is dead',
      async (_, start, signal) => {
        const repoId = await dock({ start });
        const { pid } = (await kit.station.run(repoId, { ready: { log: 'up' } })).body.result;
        if (signal) process.kill(Number(pid), signal);
        const stop = () => kit.station.stop(repoId, { graceMs: 500 });
        for (const { status, body } of await Promise.all([stop(), stop()])) {
          expect([status, body.result.stopped]).toEqual([200, true]);
          expect(alive(Number(pid))).toBe(false);
        }
        expect(await entry(repoId)).toMatchObject({ state: 'stopped', app: { pid: null, signal: 'SIGKILL' } });
        expect((await stop()).body.result).toMatchObject({ alreadyStopped: true });
      },
    );

    it('and takes its time has its own exit code', async () => {
      const repoId = await dock({ start: 'exec node ends-slowly.js' });
      await kit.station.run(repoId, { ready: { log: 'up' } });
      expect((await kit.station.stop(repoId)).body.result).toMatchObject({ exitCode: 7, signal: null, forced: false });
    });
  });

  describe('a run', () => {
    it('in the foreground is running meanwhile, can be stopped, and answers with its output', async () => {
      const repoId = await dock({ build: 'echo built; node waits.js' });
      const socket = await kit.station.socket();
      const begun = nextEvent(socket, 'repo-event', ({ state }) => state === 'running');
      const run = ask(socket, { operation: 'run', repoId, options: { script: 'build', background: false } });
      await begun;
      const { pid } = (await entry(repoId)).app ?? {};
      await eventually('it has built', async () => (await logOf(repoId)).includes('up'));
      const stopped = await kit.station.stop(repoId);
      expect(stopped.body.result).toMatchObject({ alreadyStopped: false });
      expect(await run).toMatchObject({
        result: {
          readiness: 'exited',
          output: expect.stringMatching(/^built\nup\n(Terminated\n)?$/) as string,
          truncated: false,
        },
      });
      expect(alive(Number(pid))).toBe(false);
      expect((await entry(repoId)).state).toBe('stopped');
    });

    it('that is not ready in time is reached where it listens all the same', async () => {
      const repoId = await dock({ start: 'exec node listens.js' });
      const { result } = (await kit.station.run(repoId, { ready: { log: 'never' }, readyTimeoutMs: 4_000 })).body;
      expect(result).toMatchObject({ ready: false, readiness: 'timeout' });
      expect((await fetch(String(result.url), { headers: { connection: 'close' } })).status).toBe(200);
      expect((await entry(repoId)).app).toMatchObject({ ready: false, url: result.url });
      await kit.station.stop(repoId);
    });

    it('that is cancelled while it gets ready leaves nothing', async () => {
      const repoId = await dock({ start: 'node ignores-sigterm.js' });
      const socket = await kit.station.socket();
      const begun = nextEvent(socket, 'repo-event', ({ state }) => state === 'running');
      const env = { TAG: `cancelled-${repoId}` };
      const run = kit.station.run(repoId, { env });
      const { operationId } = await begun;
      expect(processesTagged(env.TAG)).not.toEqual([]);
      const cancelled = await kit.station.cancel(String(operationId));
      expect(cancelled.body.result.status).toBe('cancelled');
      expect(processesTagged(env.TAG)).toEqual([]);
      expect((await run).body).toMatchObject({ code: 'CANCELLED', operationId });
      expect(await entry(repoId)).toMatchObject({ state: 'stopped', app: { pid: null } });
      expect((await kit.station.run(repoId, { ready: { log: 'up' } })).body.result.ready).toBe(true);
    });
  });
});

(IS_MATRIX ? describe.skip : describe)('on the network of the host', () => {
  const own = useStation({ env: { SANDBOX: 'none' } });
  beforeAll(() => (kit = own));

  describe('a port', () => {
    let repoId: string;
    beforeAll(async () => {
      repoId = await dock({ start: 'node listens.js' });
    });

    it.each([0, -1, 22, 1023, 65_536, 1.5, '3000', '3000;id', '0x50', true, null, [3000]])(
      'that is none is refused by its name: %j',
      async (port) => {
        const { status, body } = await kit.station.run(repoId, { port });
        expect([status, body.code]).toEqual([400, 'BAD_REQUEST']);
        expect(body.detail).toContain('port');
      },
    );

    it('of the station itself is in use', async () => {
      const { status, body } = await kit.station.run(repoId, { port: kit.station.port });
      expect([status, body]).toMatchObject([409, { code: 'PORT_IN_USE', context: { port: kit.station.port } }]);
      expect((await entry(repoId)).state).toBe('cloned');
    });

    it('that a stranger listens on is in use, until it is free', async () => {
      const stranger = createServer().listen(0, '127.0.0.1');
      await once(stranger, 'listening');
      const { port } = stranger.address() as AddressInfo;
      expect((await kit.station.run(repoId, { port })).body).toMatchObject({ code: 'PORT_IN_USE', retryable: true });
      stranger.close();
      await once(stranger, 'close');
      expect((await kit.station.run(repoId, { port })).body.result).toMatchObject({ ready: true, port });
      await kit.station.stop(repoId);
    });

    it('that two repositories ask for at once is given to one of them', async () => {
      const port = await freePort();
      const other = await dock({ start: 'node listens.js' });
      const answers = await Promise.all([kit.station.run(repoId, { port }), kit.station.run(other, { port })]);
      expect(answers.map(({ status }) => status)).toEqual(expect.arrayContaining([200, 409]));
      const [winner, loser] = answers[0].status === 200 ? [repoId, other] : [other, repoId];
      expect((await entry(winner)).state).toBe('running');
      await kit.station.stop(winner);
      expect((await kit.station.run(loser, { port })).body.result).toMatchObject({ ready: true, port });
      await kit.station.stop(loser);
    });
  });

  describe('what an app is given', () => {
    let repoId: string;
    beforeAll(async () => {
      repoId = await dock({ start: 'env; touch STARTED', 'dev:all': 'echo dev', 'a b': 'echo ab' });
    });

    it.each([
      'LD_PRELOAD',
      'ld_preload',
      'LD_AUDIT',
      'NODE_OPTIONS',
      'NODE_PATH',
      'PATH',
      'BASH_ENV',
      'ENV',
      'HOME',
      'Path',
      'GIT_SSH_COMMAND',
      'npm_config_script_shell',
      'NPM_CONFIG_PREFIX',
      'npm_config_registry',
      'toString',
      'PORT',
      'DOCKING_STATION_TREE',
      'A=B',
      '',
    ])('must not be a variable that changes how it is started: "%s"', async (name) => {
      const { status, body } = await kit.station.run(repoId, { env: { [name]: '/tmp/evil' } });
      expect([status, body]).toMatchObject([400, { code: 'ENV_NOT_ALLOWED', context: { name } }]);
      expect(body.detail).toContain(`"${name}"`);
      expect(JSON.stringify(body)).not.toContain('/tmp/evil');
      expect(workspaceHas(repoId, 'STARTED')).toBe(false);
    });

    it('must not be a variable that is no variable but a trap: __proto__', async () => {
      const body = '{"env": {"__proto__": "x"}}';
      const headers = { authorization: `Bearer ${kit.station.adminKey}`, 'content-type': 'application/json' };
      const response = await fetch(`${kit.station.url}/repo/${repoId}/run`, { method: 'POST', headers, body });
      expect([response.status, await response.json()]).toMatchObject([400, { code: 'ENV_NOT_ALLOWED' }]);
    });

    it.each([1, true, null, {}, ['a'], 'a\0b', 'x'.repeat(131_072)])('is text of a bearable length', async (value) => {
      const { status, body } = await kit.station.run(repoId, { env: { MINE: value } });
      expect([status, body.code]).toEqual([400, 'BAD_REQUEST']);
      expect(body.detail).toContain('MINE');
    });

    it('is too much for one request where it adds up', async () => {
      const env = Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`V${index}`, 'x'.repeat(100_000)]));
      const { status, body } = await kit.station.run(repoId, { env });
      expect([status, body.code]).toEqual([413, 'TOO_LARGE']);
    });

    it.each([
      'start; touch CANARY',
      '$(touch CANARY)',
      '--prefix=/tmp start',
      '-h',
      'toString',
      '__proto__',
      'prestart',
    ])('is a script that its package.json has, and not "%s"', async (script) => {
      const { status, body } = await kit.station.run(repoId, { script });
      expect([status, body.code]).toEqual([422, 'SCRIPT_NOT_FOUND']);
      expect(body.context.scripts).toEqual(['start', 'dev:all', 'a b']);
      expect(workspaceHas(repoId, 'CANARY')).toBe(false);
    });

    it.each([
      ['dev:all', 'dev\n'],
      ['a b', 'ab\n'],
    ])('is a script of whatever name: %s', async (script, output) => {
      expect((await kit.station.run(repoId, { script, background: false })).body.result).toMatchObject({ output });
    });
  });
});
