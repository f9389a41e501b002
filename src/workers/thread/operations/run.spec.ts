import { once } from 'node:events';
import { chmodSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { fileURLToPath } from 'node:url';
import { eventually } from '../../../../test/support/eventually.js';
import { TestThread, type Files } from '../../../../test/support/operation-thread.js';
import { freePort } from '../../../../test/support/ports.js';
import { alive } from '../../../../test/support/processes.mjs';
import { Failure } from '../../../contracts/failure.js';
import type { StoppedByStation } from '../../../contracts/stop-reasons.js';
import type { RunInput, RunResult } from '../../../contracts/operations.js';
import type { ProcessTree } from '../../../contracts/process-tree.js';
import type { FromThread } from '../../../contracts/worker-messages.js';
import { run } from './run.js';
import { stop } from './stop.js';

const program = (name: string) =>
  fileURLToPath(new URL(`../../../../test/fixtures/processes/${name}`, import.meta.url));
const node = (name: string, ...args: string[]) => ['node', program(name), ...args].join(' ');

type Message<T extends FromThread['type']> = Extract<FromThread, { type: T }>;

/** A repository of which one app is run, with everything that its thread says. */
class Repository extends TestThread {
  readonly said: FromThread[] = [];
  session = Promise.resolve();
  port = 0;
  private onStopping: (reason: StoppedByStation) => void = () => undefined;

  constructor(scripts: Record<string, string>, files: Files = {}) {
    super({ 'package.json': { name: 'an-app', version: '1.2.3', scripts }, ...files });
  }

  async run(options: Partial<RunInput> = {}): Promise<RunResult> {
    this.port = options.port ?? (await freePort());
    const input: RunInput = {
      port: this.port,
      appPort: this.port,
      host: '127.0.0.1',
      env: {},
      background: true,
      readyTimeoutMs: 20_000,
      stopGraceMs: 300,
      restarts: 0,
      toolchain: { store: this.paths.home, registry: { url: 'http://127.0.0.1:9/', strictSsl: true } },
      ...options,
    };
    return run(input, {
      ...this.next(),
      send: (message) => this.said.push(message),
      keepAlive: (session) => void (this.session = session),
      onStopping: (listener) => void (this.onStopping = listener),
    });
  }

  /** As the station does it: the session is told, and the tree is ended from outside. */
  stop({ graceMs = 5_000, tree = this.tree() } = {}) {
    this.onStopping('stop');
    return stop({ tree, graceMs, ports: [this.port] }, this.next());
  }

  last<T extends FromThread['type']>(type: T): Message<T> | undefined {
    return this.said.findLast((message): message is Message<T> => message.type === type);
  }

  tree(): ProcessTree {
    const tree = (this.last('app-tree') ?? this.last('app-started'))?.tree;
    if (!tree) throw new Error('the app has not started');
    return tree;
  }

  override async dispose(): Promise<void> {
    this.cancellation.abort(new Failure('CANCELLED', 'the test is over'));
    await this.session;
    await super.dispose();
  }
}

/** A server that answers everything; undefined when the port is taken. */
function strangerOn(port: number): Promise<Server | undefined> {
  const server = createServer((_, response) => response.end('stranger'));
  return new Promise((resolve) => {
    server.once('error', () => resolve(undefined));
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}

describe('an app', () => {
  let repository: Repository;
  const given = (scripts: Record<string, string>, files?: Files) => (repository = new Repository(scripts, files));
  afterEach(() => repository.dispose());

  describe('that listens', () => {
    it('is ready, and tells where', async () => {
      given({ start: node('listens.js') });
      const result = await repository.run();
      const { port } = repository;
      const url = `http://127.0.0.1:${port}`;
      expect(result).toMatchObject({ readiness: 'listening', ready: true, port, appPort: port, url, script: 'start' });
      expect(alive(Number(result.pid))).toBe(true);
      expect(repository.said.map(({ type }) => type).filter((type) => type !== 'app-tree')).toEqual([
        'app-started',
        'app-ready',
      ]);
      expect(await (await fetch(`${url}/hello`, { headers: { connection: 'close' } })).text()).toBe('/hello\n');
    });

    it('and ignores PORT is found where it really listens', async () => {
      const other = await freePort();
      given({ start: node('listens.js', String(other)) });
      expect(await repository.run()).toMatchObject({ ready: true, port: other, url: `http://127.0.0.1:${other}` });
    });

    it('on the loopback of IPv6 only is reached there', async () => {
      given({ start: `${node('listens.js')} "$PORT" ::1` });
      const { url } = await repository.run();
      expect(url).toBe(`http://[::1]:${repository.port}`);
    });

    it('on any address is reached where apps are published', async () => {
      given({ start: `${node('listens.js')} "$PORT" ::` });
      expect((await repository.run({ host: 'localhost' })).url).toBe(`http://localhost:${repository.port}`);
    });

    it('is not taken to be ready because a stranger answers on its port', async () => {
      const stranger: Server = createServer((_, response) => response.end('stranger')).listen(0, '127.0.0.1');
      await once(stranger, 'listening');
      const { port } = stranger.address() as { port: number };
      given({ start: node('waits.js') });
      const result = await repository.run({ port, readyTimeoutMs: 700 });
      const warnings = [expect.stringContaining('does not listen yet, after 700 ms') as string];
      expect(result).toMatchObject({ readiness: 'timeout', ready: false, url: null, warnings });
      stranger.close();
    });

    it('on several ports is reached by the one that answers HTTP and is no debugger', async () => {
      const [debug, other] = [await freePort(), await freePort()];
      given({ start: `node --inspect=${debug} ${program('listens.js')} ${other}` });
      expect(await repository.run()).toMatchObject({ port: other });
    });

    it('on very many ports is told with some of them, the one that it was given among these', async () => {
      const many = 60;
      const first = await freePort();
      given(
        { start: 'node many.js' },
        {
          'many.js': `const net = require('node:net'); net.createServer().listen(process.env.PORT);
        for (let port = ${first}, left = ${many}; left > 0; port += 1, left -= 1) {
          net.createServer().on('error', () => undefined).listen(port);
        }`,
        },
      );
      const { ports = [], port } = await repository.run();
      expect(port).toBe(repository.port);
      expect(ports.length).toBeLessThanOrEqual(32);
    });

    it('by a command of great length is told with its beginning', async () => {
      given({ start: `${node('listens.js')} # ${'long '.repeat(10_000)}` });
      expect((await repository.run()).command.length).toBeLessThan(1_000);
    });

    it('and dies half a second later was never ready', async () => {
      given({ start: node('listens-then-dies.js') });
      await expect(repository.run()).rejects.toMatchObject({
        code: 'APP_EXITED',
        message: expect.stringContaining('Error: no database') as unknown,
        context: { exitCode: 1, signal: null },
      });
      expect(repository.last('app-ready')).toBeUndefined();
      expect(repository.last('app-ended')).toMatchObject({ cause: 'crashed', app: { pid: null, exitCode: 1 } });
    });

    it('too late runs on, and tells when it does', async () => {
      given({ start: node('listens-late.js') });
      const { pid, readiness } = await repository.run({ readyTimeoutMs: 200 });
      expect(readiness).toBe('timeout');
      const { app } = await eventually('it is ready', () => repository.last('app-ready'));
      expect(app).toMatchObject({ pid, ready: true, port: repository.port });
    });
  });

  describe('whose readiness is defined', () => {
    it('by a path waits until that path is fine', async () => {
      given({ start: node('listens.js') });
      expect((await repository.run({ ready: { http: '/broken' }, readyTimeoutMs: 1_000 })).readiness).toBe('timeout');
      await repository.stop();
      expect((await repository.run({ ready: { http: '/fine' } })).readiness).toBe('listening');
    });

    it('by its output need not listen', async () => {
      given({ start: node('waits.js') });
      expect(await repository.run({ ready: { log: '/^U[A-Z]$/i' } })).toMatchObject({ ready: true, url: null });
    });

    it('by something that is no expression is refused before it starts', async () => {
      given({ start: node('waits.js') });
      await expect(repository.run({ ready: { log: '/(/' } })).rejects.toMatchObject({ code: 'BAD_REQUEST' });
      expect(repository.said).toEqual([]);
    });
  });

  describe('is started as its package manager would: it', () => {
    it('has the environment of a script, and nothing of the server', async () => {
      process.env.SECRET_OF_THE_SERVER = 'secret';
      given({ start: 'env', prestart: 'echo before', poststart: 'echo after' });
      const { output = '' } = await repository.run({ background: false, env: { MINE: 'a "b" $c' } });
      delete process.env.SECRET_OF_THE_SERVER;
      const lines = output.trim().split('\n');
      const { workspace, home } = repository.paths;
      expect([lines[0], lines.at(-1)]).toEqual(['before', 'after']);
      for (const line of [
        `PORT=${repository.port}`,
        'MINE=a "b" $c',
        `HOME=${home}`,
        `INIT_CWD=${workspace}`,
        'BROWSER=none',
        'npm_lifecycle_event=start',
        'npm_lifecycle_script=env',
        'npm_package_name=an-app',
        'npm_package_version=1.2.3',
        `npm_package_json=${workspace}/package.json`,
      ]) {
        expect(lines).toContain(line);
      }
      expect(output).toMatch(/^PATH=[^:]*\/workspace\/node_modules\/\.bin:/m);
      expect(output).toMatch(/^npm_config_user_agent=npm\/\d+\.\d+\.\d+ node\/v\d+/m);
      expect(output).not.toContain('secret');
    });

    it('finds the programs of its dependencies first', async () => {
      given({ start: 'node' }, { 'node_modules/.bin/node': '#!/bin/sh\necho its own' });
      chmodSync(`${repository.paths.workspace}/node_modules/.bin/node`, 0o755);
      expect((await repository.run({ background: false })).output).toBe('its own\n');
    });

    it('waits on stdin for ever', async () => {
      given({ start: 'read line; echo over' });
      expect((await repository.run({ readyTimeoutMs: 300 })).readiness).toBe('timeout');
    });

    it('is not started when its pre-script fails', async () => {
      given({ prestart: 'exit 4', start: 'echo started' });
      await expect(repository.run()).rejects.toMatchObject({ context: { exitCode: 4 } });
      expect(repository.log().map(({ text }) => text)).not.toContain('started');
    });

    it('has its script as first process once the pre-script is over', async () => {
      given({ prestart: 'true', start: node('listens.js') });
      const { pid, exitCode } = await repository.run();
      expect(exitCode).toBeUndefined();
      expect(repository.last('app-tree')?.tree.root?.pid).toBe(pid);
      expect(alive(Number(pid))).toBe(true);
    });
  });

  describe('of which the script', () => {
    it('is not named is the first of start, dev and serve', async () => {
      given({ serve: 'echo serve', dev: 'echo dev' });
      expect(await repository.run({ background: false })).toMatchObject({ script: 'dev', output: 'dev\n' });
    });

    it.each(['dev:all', 'a b'])('has an unusual name runs all the same: %s', async (script) => {
      given({ [script]: 'echo fine' });
      expect((await repository.run({ script, background: false })).output).toBe('fine\n');
    });

    it.each([
      'start; touch CANARY',
      '$(touch CANARY)',
      '--prefix=/tmp start',
      '-h',
      '',
      'toString',
      '__proto__',
      'prestart',
    ])('does not exist is refused with those that do: %s', async (script) => {
      given({ start: 'touch CANARY' });
      await expect(repository.run({ script })).rejects.toMatchObject({
        code: 'SCRIPT_NOT_FOUND',
        context: { scripts: ['start'] },
      });
      expect(repository.said).toEqual([]);
      expect(() => repository.read('CANARY')).toThrow('ENOENT');
    });
  });

  describe('that ends', () => {
    it('with exit code 0 has run to its end', async () => {
      given({ start: 'echo hello' });
      expect(await repository.run()).toMatchObject({ readiness: 'exited', exitCode: 0, pid: null, ready: false });
      expect(repository.last('app-ended')).toMatchObject({ cause: 'exited' });
    });

    it.each([
      ['exit 1', { exitCode: 1, signal: null }],
      ['kill -SEGV $$', { exitCode: null, signal: 'SIGSEGV' }],
    ])('otherwise is a failed run with its last lines: %s', async (script, end) => {
      given({ start: `echo said; ${script}` });
      const failure = repository.run();
      await expect(failure).rejects.toMatchObject({ code: 'APP_EXITED', context: { ...end, lastLines: ['said'] } });
    });

    it('without a word has none to quote: how it ended is told beside', async () => {
      given({ start: 'kill -KILL $$' });
      await expect(repository.run()).rejects.toMatchObject({
        message: 'The app was ended by SIGKILL before it was ready',
      });
      expect(repository.last('app-ended')?.app.stopMessage).toBeUndefined();
    });

    it('because nothing was built is told to build', async () => {
      given({ start: 'node dist/main.js', build: 'tsc' });
      await expect(repository.run()).rejects.toMatchObject({
        suggestion: expect.stringContaining('{"script": "build", "background": false}') as unknown,
      });
    });

    it('lives on as a daemon when a member of its tree does', async () => {
      given({ start: `${program('double-forks.sh')} ${node('listens.js')}` });
      expect(await repository.run()).toMatchObject({ ready: true, port: repository.port });
      expect(repository.last('app-ended')).toBeUndefined();
      expect(await repository.stop()).toMatchObject({ forced: false });
      await repository.session;
      expect(repository.last('app-ended')).toMatchObject({ cause: 'stopped', app: { exitCode: 0 } });
    });

    it('takes the rest of its tree along when its first process has failed', async () => {
      given({ start: `${node('waits.js')} & sleep 0.3; exit 5` });
      await expect(repository.run()).rejects.toMatchObject({ context: { exitCode: 5 } });
      expect(repository.liveProcesses()).toBe(0);
    });

    it('after it was ready tells so at once, with its last lines', async () => {
      given({ start: node('listens.js') });
      const { pid } = await repository.run();
      process.kill(Number(pid), 'SIGKILL');
      const ended = await eventually('its end is known', () => repository.last('app-ended'), 1_000);
      expect(ended).toMatchObject({ cause: 'crashed', app: { signal: 'SIGKILL', pid: null } });
    });

    it('because it listens no longer is ended as unhealthy, though a stranger answers on its port', async () => {
      given({ start: node('stops-listening.js') });
      const { port, url } = await repository.run({ liveness: { http: '/', intervalMs: 400 } });
      await fetch(`${url}/last`, { headers: { connection: 'close' } });
      const stranger = await eventually('the port is free', () => strangerOn(Number(port)));
      await repository.session;
      stranger.close();
      expect(repository.last('app-ended')).toMatchObject({ cause: 'unhealthy' });
    });

    it('because it no longer answers its liveness checks is ended as unhealthy', async () => {
      given({ start: node('listens.js') });
      await repository.run({ liveness: { http: '/broken', intervalMs: 50 } });
      await repository.session;
      expect(repository.last('app-ended')).toMatchObject({ cause: 'unhealthy' });
      expect(repository.liveProcesses()).toBe(0);
    });
  });

  describe('in the foreground', () => {
    it('answers with exit code and output, whatever the exit code', async () => {
      given({ build: 'echo out; echo err >&2; exit 2' });
      const result = await repository.run({ script: 'build', background: false });
      expect(result).toMatchObject({ readiness: 'exited', exitCode: 2, truncated: false });
      expect(result.output?.split('\n').toSorted()).toEqual(['', 'err', 'out']);
    });

    it('answers with the last 64 kB of its output', async () => {
      given({ build: 'seq 100000' });
      const { output = '', truncated } = await repository.run({ script: 'build', background: false });
      expect(truncated).toBe(true);
      expect(output.endsWith('99999\n100000\n')).toBe(true);
      expect(output.length).toBeLessThanOrEqual(65_536);
      expect(output.length).toBeGreaterThan(65_000);
    });

    it('ends with its script: daemons that it leaves behind are ended', async () => {
      given({ build: `${node('detached-child.js', program('waits.js'))}; echo done` });
      expect(await repository.run({ script: 'build', background: false })).toMatchObject({ exitCode: 0 });
      expect(repository.liveProcesses()).toBe(0);
    });
  });

  describe('that is cancelled while it starts', () => {
    it('dies, and the run fails with the reason', async () => {
      given({ start: `${node('ignores-sigterm.js')} & wait` });
      const result = repository.run();
      await eventually('it has started', () => repository.log().some(({ text }) => text === 'up'));
      repository.cancellation.abort(new Failure('TIMED_OUT', 'too long'));
      await expect(result).rejects.toThrow('too long');
      expect(repository.liveProcesses()).toBe(0);
      expect(repository.last('app-ended')).toMatchObject({ cause: 'timed-out' });
    });
  });

  describe('that is stopped', () => {
    it.each([
      ['a program', node('listens.js')],
      ['a shell and its child', `${node('listens.js')} & wait`],
      ['a detached child', node('detached-child.js', program('listens.js'))],
      ['a daemon', `${program('double-forks.sh')} ${node('listens.js')}`],
    ])('is dead, its port is free, and it runs again on the same port: %s', async (_, start) => {
      given({ start });
      const { port } = await repository.run();
      expect(await repository.stop()).toMatchObject({ forced: false });
      expect(repository.liveProcesses()).toBe(0);
      await expect(fetch(`http://127.0.0.1:${port}`)).rejects.toThrow('fetch failed');
      expect(await repository.run({ port: Number(port) })).toMatchObject({ ready: true, port });
    });

    it('has ended for that reason, with the exit code of its own', async () => {
      given({ start: node('ends-slowly.js') });
      await repository.run({ readyTimeoutMs: 0 });
      await eventually('it is up', () => repository.log().some(({ text }) => text === 'up'));
      expect((await repository.stop()).forced).toBe(false);
      await repository.session;
      expect(repository.last('app-ended')).toMatchObject({
        cause: 'stopped',
        app: { exitCode: 7, stopReason: 'stop', stoppedAt: expect.any(Number) as unknown },
      });
    });

    it('by force when it does not want to end, by two at once and again', async () => {
      given({ start: node('ignores-sigterm.js') });
      const { pid } = await repository.run({ ready: { log: 'up' } });
      const both = await Promise.all([repository.stop({ graceMs: 300 }), repository.stop({ graceMs: 300 })]);
      expect(both.some(({ forced }) => forced)).toBe(true);
      expect(Math.min(...both.map(({ durationMs }) => durationMs))).toBeGreaterThanOrEqual(300);
      expect(alive(Number(pid))).toBe(false);
      expect(await repository.stop()).toMatchObject({ forced: false });
    });

    it('takes along what has cleared its environment and left its parent', async () => {
      given({ start: `${node('clears-its-environment.js', program('waits.js'))}; sleep 1; ${node('waits.js')}` });
      await repository.run({ readyTimeoutMs: 0 });
      const [hidden] = await eventually('it was seen', () => repository.last('app-tree')?.tree.seen);
      await eventually('it is an orphan', () => repository.log().filter(({ text }) => text === 'up').length === 2);
      expect(alive(Number(hidden?.pid))).toBe(true);
      await repository.stop();
      expect(alive(Number(hidden?.pid))).toBe(false);
    });

    it('before it is ready has not failed', async () => {
      given({ start: node('waits.js') });
      const result = repository.run();
      await eventually('it has started', () => repository.log().some(({ text }) => text === 'up'));
      const stopped = repository.stop();
      await expect(result).rejects.toMatchObject({ code: 'CANCELLED' });
      await stopped;
      expect(repository.last('app-ended')).toMatchObject({ cause: 'stopped' });
    });
  });
});
