import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LogLine } from '../src/contracts/log.js';
import type { RunOptions } from '../src/contracts/operation-options.js';
import type { Repository } from '../src/contracts/shapes.js';
import { eventually } from './support/eventually.js';
import { packageJson } from './support/fixtures.js';
import type { GitFile, GitRepository } from './support/git-repository.js';
import { itInMatrix, sample } from './support/matrix.js';
import { freePort } from './support/ports.js';
import { alive, processesTagged } from './support/processes.mjs';
import { filesOf, stagedOf } from './support/traces.js';
import { useStation, type Kit } from './support/use-station.js';

const ASYNC = { headers: { prefer: 'respond-async' } };
const MS = 120_000;

const OPTIONS = { STOP_GRACE_MS: '1000', NETWORK: 'shared' };

/** Most of it is no question of the sandbox, and quicker without. */
const unconfined = useStation({ env: { ...OPTIONS, SANDBOX: 'none' } });
let kit: Kit = unconfined;
let docked = 0;

interface Docked {
  repository: GitRepository;
  repoId: string;
  uid: string;
  /** The commit that it runs, process, port and environment. */
  commit: string;
  pid: number;
  port: number;
  env: { TAG: string };
  path(name: string): string;
}

/** Answers `<text> <word>`, where `word` is what the dependency of that name exports. */
const serves = (text: string, more = ''): string => `
  ${more}
  console.log('${text} starts');
  require('node:http').createServer((_, response) => response.end('${text} ' + require('word')))
    .listen(process.env.PORT);`;

/** A version of the app with a dependency that needs no registry. */
const version = (app: string, { word = 'one', scripts = {} }: { word?: string; scripts?: object } = {}) => ({
  'app.js': app,
  'package.json': packageJson({ start: 'exec node app.js', ...scripts }, { dependencies: { word: `file:./${word}` } }),
  [`${word}/package.json`]: JSON.stringify({ name: 'word', version: '1.0.0', main: 'index.js' }),
  [`${word}/index.js`]: `module.exports = '${word}';`,
});

/** A version whose install builds what runs, which takes a temporary file, and waits with that while there is a file `wait`. */
const builds = (code: string, word: string) => ({
  ...version(`require('./dist/app.js');`, {
    word,
    scripts: { prepare: 'while [ -e wait ]; do sleep 0.05; done; rm "$(mktemp -p /tmp)" && node build.js' },
  }),
  'build.js': `
    require('node:fs').mkdirSync('dist', { recursive: true });
    require('node:fs').writeFileSync('dist/app.js', ${JSON.stringify(code)});`,
  '.gitignore': 'dist\nnode_modules\n',
});

/** A file that the new version has no more, changed. */
const MINE = `module.exports = 'one'; // mine`;

async function unloadAll(): Promise<void> {
  const { body } = await kit.station.api<{ repositories: Repository[] }>('GET', '/repo/list');
  await Promise.all(body.result.repositories.map(({ uid }) => kit.station.unload(uid)));
}

/** A version of an app without dependencies. */
const plain = (app: string) => ({ 'app.js': app, 'package.json': packageJson({ start: 'exec node app.js' }) });

const answers = (text: string) => `
  require('node:http').createServer((_, response) => response.end('${text}')).listen(process.env.PORT);`;

/** Version 1, installed where it has dependencies, and running. */
async function dock(options: RunOptions = {}, files: Record<string, GitFile> = version(serves('v1'))): Promise<Docked> {
  const repository = await kit.git.createRepository(`proven/app${++docked}`, { files });
  const { repoId, uid, result } = (await kit.station.clone(repository.url)).body;
  const path = (name: string) => join(kit.station.workspaceDir, repoId, name);
  if ('one/index.js' in files) expect((await kit.station.install(repoId)).status).toBe(200);
  const [port, env] = [await freePort(), { TAG: repoId }];
  const { status, body } = await kit.station.run(repoId, { port, env, readyTimeoutMs: 10_000, ...options });
  expect([status, body]).toMatchObject([200, { success: true }]);
  return { repository, repoId, uid, commit: String(result.commit), pid: Number(body.result.pid), port, env, path };
}

const entry = async ({ repoId }: Docked): Promise<Repository> => (await kit.station.entry(repoId)).body.result;
const update = ({ repoId }: Docked) => kit.station.update(repoId, { restart: true });

const page = async ({ port }: Docked): Promise<string> =>
  (await fetch(`http://127.0.0.1:${port}`, { headers: { connection: 'close' } })).text();

/** Version 1 runs, is what the station says that it runs, and nothing else is left. */
async function expectOldRuns(app: Docked, git: object = {}): Promise<void> {
  const { state, commit, process, git: tree, stateReason } = (await kit.station.status(app.repoId)).body.result;
  expect([state, commit, stateReason]).toEqual(['running', app.commit, undefined]);
  expect(tree).toMatchObject({ branch: 'main', commit: app.commit, changed: [], ...git });
  expect(await page(app)).toBe('v1 one');
  expect(processesTagged(app.env.TAG)).toContain(process?.pid);
  expect(stagedOf(kit.station)).toEqual([]);
}

/** What it remembers of the install is true: it starts as it is. */
async function expectOldStartsAgain(app: Docked): Promise<void> {
  await kit.station.stop(app.repoId);
  expect(processesTagged(app.env.TAG)).toEqual([]);
  const { port, env } = app;
  const again = await kit.station.run(app.repoId, { port, env, readyTimeoutMs: 5_000 });
  expect(again.body.result).toMatchObject({ ready: true });
  expect(await page(app)).toBe('v1 one');
}

interface Fault {
  code: string;
  failedStep: string;
  reason: string;
  /** Of the new version's log. */
  line: string;
}

/** A version that does not prove itself gives way to the old one, with dependencies, options and local changes. */
async function expectGivesWay(app: Docked, { code, failedStep, reason, line }: Fault): Promise<void> {
  const pid = (await entry(app)).app?.pid;
  const to = await app.repository.commit(version(code, { word: 'two' }));
  const { status, body } = await update(app);
  expect([status, body]).toMatchObject([
    422,
    {
      code: 'UPDATE_ROLLED_BACK',
      operation: 'update',
      retryable: false,
      context: {
        from: app.commit,
        to,
        failedStep,
        rolledBack: true,
        restarted: false,
        savedRef: expect.stringMatching(/^refs\/docking-station\/saved\//) as string,
        outcomes: { new: { code: reason }, old: { running: true, dependencies: 'restored' } },
        logs: {
          old: { source: 'app', lastLines: expect.arrayContaining(['v1 starts']) as string[] },
          new: { source: 'app' },
        },
      },
    },
  ]);
  expect(JSON.stringify(body.context.logs)).toContain(line);
  expect(body.detail).toContain(`${app.commit.slice(0, 12)} is back in its place`);
  expect(alive(Number(pid))).toBe(false);
  expect(readFileSync(app.path('one/index.js'), 'utf8')).toBe(MINE);
  expect(existsSync(app.path('two'))).toBe(false);
  await expectOldRuns(app, { changed: ['one/index.js'] });
}

const THROWS: Fault = {
  code: `throw new Error('v2 is broken');`,
  failedStep: 'start',
  reason: 'APP_EXITED',
  line: 'Error: v2 is broken',
};

const returns = (app: Docked, text: string) =>
  eventually(
    `${app.repoId} answers ${text}`,
    () =>
      page(app).then(
        (answer) => answer === text,
        () => false,
      ),
    30_000,
  );

async function untilItProvesItself(app: Docked, files = version(serves('v2'), { word: 'two' })): Promise<string> {
  await app.repository.commit(files);
  const { operationId } = (await kit.station.update(app.repoId, { restart: true }, ASYNC)).body;
  await returns(app, 'v2 two');
  return operationId;
}

describe('an update that restarts the app, in a sandbox,', () => {
  const confined = useStation({ env: { ...OPTIONS, SANDBOX: 'bubblewrap' } });
  beforeAll(() => {
    kit = confined;
  });
  afterAll(() => {
    kit = unconfined;
  });

  it(
    'runs the new version with its dependencies once it has proven itself, and says where both have logged',
    async () => {
      const app = await dock();
      const to = await app.repository.commit(version(serves('v2'), { word: 'two' }));
      const { status, body } = await update(app);
      expect([status, body.result]).toMatchObject([
        200,
        {
          from: app.commit,
          to,
          dependenciesChanged: true,
          restartRequired: false,
          restarted: true,
          rolledBack: false,
          logs: {
            old: { source: 'app', lastLines: expect.arrayContaining(['v1 starts']) as string[] },
            new: { source: 'app', lastLines: expect.arrayContaining(['v2 starts']) as string[] },
          },
        },
      ]);
      expect(await page(app)).toBe('v2 two');
      expect(alive(app.pid)).toBe(false);
      expect(await entry(app)).toMatchObject({ state: 'running', commit: to });
      expect(stagedOf(kit.station)).toEqual([]);
      for (const log of [body.result.logs?.old, body.result.logs?.new]) {
        const path = `/repo/${app.repoId}/logs?source=app&operationId=${log?.operationId}`;
        const { result } = (await kit.station.api<{ lines: LogLine[] }>('GET', path)).body;
        expect(result.lines.map(({ text }) => text)).toEqual(expect.arrayContaining(log?.lastLines ?? ['']));
      }
      await kit.station.stop(app.repoId);
      const { result } = (await kit.station.api<{ lines: LogLine[] }>('GET', `/repo/${app.repoId}/logs`)).body;
      expect(result.lines.map(({ text }) => text)).toContain('v2 starts');
      expect((await kit.station.run(app.repoId, { port: app.port })).body.result.ready).toBe(true);
      expect(await page(app)).toBe('v2 two');
    },
    MS,
  );

  itInMatrix(
    'is undone for as long as that takes when the server starts again, which serves meanwhile',
    async () => {
      const app = await dock({}, builds(serves('v1'), 'one'));
      await untilItProvesItself(app, builds(serves('v2'), 'two'));
      await kit.station.kill('SIGKILL');
      writeFileSync(app.path('wait'), '');
      await kit.station.restart();
      expect(await entry(app)).toMatchObject({ state: 'stopped', commit: app.commit });
      expect(stagedOf(kit.station)).not.toEqual([]);
      const run = kit.station.run(app.repoId, { port: app.port, env: app.env });
      rmSync(app.path('wait'));
      expect((await run).body.result).toMatchObject({ ready: true });
      await expectOldRuns(app);
    },
    MS,
  );

  itInMatrix(
    'gives way to the old version where the new one does not prove itself',
    async () => {
      const app = await dock({ readyTimeoutMs: 5_000 });
      writeFileSync(app.path('one/index.js'), MINE);
      await expectGivesWay(app, THROWS);
      await expectOldStartsAgain(app);
    },
    MS,
  );
});

describe('an update that restarts the app', () => {
  afterAll(unloadAll);

  itInMatrix(
    'is told what is behind, also when the tree has been moved before',
    async () => {
      const says = (text: string) => serves(text).replace(`require('word')`, `'again'`);
      const app = await dock({}, plain(says('v1')));
      await app.repository.commit(plain(says('v2')));
      expect((await kit.station.update(app.repoId)).body.result).toMatchObject({ restartRequired: true });
      expect((await kit.station.update(app.repoId)).body.result).toMatchObject({ restartRequired: true });
      expect((await update(app)).body.result).toMatchObject({ restartRequired: false, restarted: true });
      expect(await page(app)).toBe('v2 again');
      expect((await update(app)).body.result).toMatchObject({ restartRequired: false, restarted: false });
    },
    MS,
  );

  it(
    'asks of an app that never listens no more than to live on',
    async () => {
      const says = (text: string) => `console.log('${text}'); setInterval(() => undefined, 1000);`;
      const app = await dock({ readyTimeoutMs: 500 }, plain(says('v1')));
      await app.repository.commit({ 'app.js': says('v2') });
      expect((await update(app)).body.result).toMatchObject({ restarted: true, logs: { new: { lastLines: ['v2'] } } });
      await app.repository.commit({ 'app.js': `setTimeout(() => process.exit(3), 700);` });
      expect((await update(app)).body).toMatchObject({ code: 'UPDATE_ROLLED_BACK', context: { failedStep: 'health' } });
      expect((await entry(app)).state).toBe('running');
    },
    MS,
  );
});

describe('a new version that does not prove itself', () => {
  afterAll(unloadAll);
  let app: Docked;
  beforeAll(async () => {
    app = await dock({ readyTimeoutMs: 5_000 });
    writeFileSync(app.path('one/index.js'), MINE);
  }, MS);

  const faults = [
    ['ends at once, though in order', `console.log('over');`, 'health', 'APP_EXITED', 'over'],
    [
      'dies soon after it was ready',
      serves('v2', `setTimeout(() => { throw new Error('no database'); }, 2000);`),
      ...(['health', 'APP_EXITED', 'Error: no database'] as const),
    ],
    [
      'never listens',
      `console.log('v2 waits'); setInterval(() => undefined, 1000);`,
      'health',
      'TIMED_OUT',
      'v2 waits',
    ],
  ] as const;
  it.each(sample(faults))(
    'as it %s gives way to the old one, with dependencies, options and local changes',
    async (_, code, failedStep, reason, line) => expectGivesWay(app, { code, failedStep, reason, line }),
    MS,
  );

  it(
    'as it cannot be installed leaves the old one alone, which runs on',
    async () => {
      const pid = (await entry(app)).app?.pid;
      const scripts = { postinstall: 'echo cannot build; exit 3' };
      const to = await app.repository.commit(version(serves('v2'), { word: 'two', scripts }));
      const { status, body } = await update(app);
      expect([status, body]).toMatchObject([
        422,
        {
          code: 'UPDATE_ROLLED_BACK',
          context: {
            from: app.commit,
            to,
            failedStep: 'install',
            rolledBack: true,
            outcomes: { new: { code: 'INSTALL_FAILED' }, old: { running: true, dependencies: 'restored' } },
            logs: { new: { source: 'update', operationId: body.operationId } },
          },
        },
      ]);
      expect(JSON.stringify(body.context.logs)).toContain('cannot build');
      expect((await entry(app)).app).toMatchObject({ pid, ready: true });
      await expectOldRuns(app, { changed: ['one/index.js'] });
      await expectOldStartsAgain(app);
    },
    MS,
  );

  it(
    'takes away what its install has built: the old one is built again, with the dependencies that it had',
    async () => {
      const built = await dock({}, builds(serves('v1'), 'one'));
      await built.repository.commit(builds(THROWS.code, 'two'));
      expect((await update(built)).body).toMatchObject({
        code: 'UPDATE_ROLLED_BACK',
        context: { outcomes: { old: { running: true, dependencies: 'restored', build: 'rebuilt' } } },
      });
      await expectOldRuns(built);
    },
    MS,
  );

  itInMatrix(
    'as it passes no liveness check gives way, though it listens and lives',
    async () => {
      const healthy = await dock({ liveness: { http: '/', intervalMs: 1_000 } }, plain(answers('v1 one')));
      await healthy.repository.commit({
        'app.js': `require('node:http').createServer((_, response) => response.writeHead(500).end()).listen(process.env.PORT);`,
      });
      expect((await update(healthy)).body).toMatchObject({
        code: 'UPDATE_ROLLED_BACK',
        context: { failedStep: 'health', outcomes: { new: { code: 'APP_EXITED' }, old: { running: true } } },
      });
      expect(await page(healthy)).toBe('v1 one');
    },
    MS,
  );

  itInMatrix(
    'as it never listens gives way to one that was about to return after a crash',
    async () => {
      const crashed = await dock({ readyTimeoutMs: 2_000 }, plain(answers('v1 one')));
      await crashed.repository.commit({ 'app.js': answers('v2 one') });
      expect((await update(crashed)).body.result.restarted).toBe(true); // from now on it is restarted however soon it dies
      await crashed.repository.commit({ 'app.js': 'setInterval(() => undefined, 1000);' });
      process.kill(Number((await entry(crashed)).app?.pid), 'SIGKILL');
      await eventually('it is about to return', async () => (await entry(crashed)).app?.stopReason === 'restarting');
      expect((await update(crashed)).body).toMatchObject({
        code: 'UPDATE_ROLLED_BACK',
        context: { failedStep: 'health', outcomes: { new: { code: 'TIMED_OUT' }, old: { running: true } } },
      });
      expect(await page(crashed)).toBe('v2 one');
    },
    MS,
  );

  itInMatrix(
    'is told with the reason why the old one cannot be built again',
    async () => {
      const built = await dock({}, builds(serves('v1'), 'one'));
      await built.repository.commit(builds('', 'two'));
      writeFileSync(built.path('build.js'), 'process.exit(3)');
      expect((await update(built)).body).toMatchObject({
        code: 'ROLLBACK_FAILED',
        context: { outcomes: { old: { dependencies: 'restored', build: 'lost', code: 'INSTALL_FAILED' } } },
      });
    },
    MS,
  );

  itInMatrix(
    'is told with both reasons where the old one does not run either',
    async () => {
      const needs = serves('v1', `require('node:fs').readFileSync('needed');`);
      const repository = await kit.git.createRepository('proven/lost', { files: { ...version(needs), needed: '' } });
      const { repoId, result } = (await kit.station.clone(repository.url)).body;
      await kit.station.install(repoId);
      writeFileSync(join(kit.station.workspaceDir, repoId, 'needed.local'), '');
      await kit.station.run(repoId);
      const local = { 'app.js': serves('v1', `require('node:fs').readFileSync('needed.local');`) };
      await repository.commit(local);
      const from = (await kit.station.update(repoId, { restart: true })).body.result.to;
      rmSync(join(kit.station.workspaceDir, repoId, 'needed.local'));
      const to = await repository.commit({ 'app.js': `throw new Error('v3 is broken');` });
      const { status, body } = await kit.station.update(repoId, { restart: true });
      expect(from).not.toBe(result.commit);
      expect([status, body]).toMatchObject([
        422,
        {
          code: 'ROLLBACK_FAILED',
          context: {
            from,
            to,
            rolledBack: false,
            outcomes: { new: { code: 'APP_EXITED' }, old: { running: false, code: 'APP_EXITED' } },
          },
        },
      ]);
      for (const reason of ['v3 is broken', 'needed.local']) expect(body.detail).toContain(reason);
      const { state, stateReason, commit } = (await kit.station.entry(repoId)).body.result;
      expect([state, commit]).toEqual(['error', from]);
      expect(stateReason).toEqual({ code: 'ROLLBACK_FAILED', message: body.detail });
      writeFileSync(join(kit.station.workspaceDir, repoId, 'needed.local'), '');
      expect((await kit.station.run(repoId)).body.result.ready).toBe(true);
    },
    MS,
  );
});

describe('an update that is ended in the middle', () => {
  /** Its install waits until it is told to go on. */
  const waits = version(serves('v2'), {
    word: 'two',
    scripts: { preinstall: `touch waiting; until [ -e go ]; do sleep 0.05; done` },
  });

  async function untilItInstalls(app: Docked, files = waits): Promise<string> {
    await app.repository.commit(files);
    const { operationId } = (await kit.station.update(app.repoId, { restart: true }, ASYNC)).body;
    await eventually('its install waits', () => existsSync(app.path('waiting')), 30_000);
    return operationId;
  }

  describe('is undone:', () => {
    let app: Docked;
    beforeAll(async () => {
      app = await dock();
      writeFileSync(app.path('one/index.js'), MINE);
    }, MS);
    afterAll(unloadAll);

    it.each([
      ['while it installs', untilItInstalls],
      ['while the new version proves itself', untilItProvesItself],
    ])(
      'by a cancel, %s',
      async (_, begin) => {
        const operationId = await begin(app);
        const { result } = (await kit.station.cancel(operationId)).body;
        expect(result).toMatchObject({
          status: 'cancelled',
          error: { code: 'CANCELLED', context: { rolledBack: true, outcomes: { old: { running: true } } } },
        });
        rmSync(app.path('waiting'), { force: true });
        await expectOldRuns(app, { changed: ['one/index.js'] });
      },
      MS,
    );

    const ends = [
      ['SIGKILL', 'while it installs', untilItInstalls],
      ['SIGKILL', 'while the new version proves itself', untilItProvesItself],
      ['SIGTERM', 'while it installs', untilItInstalls],
    ] as const;
    it.each(sample(ends))(
      'when the server that was ended (%s) starts again, %s',
      async (signal, _, begin) => {
        const operationId = await begin(app);
        await kit.station.kill(signal);
        await kit.station.restart();
        expect((await kit.station.operation(operationId)).body.result.error?.code).toBe('INTERRUPTED');
        expect(await entry(app)).toMatchObject({ commit: app.commit });
        await returns(app, 'v1 one');
        await eventually('it is ready', async () => (await entry(app)).app?.ready === true, 15_000);
        rmSync(app.path('waiting'), { force: true });
        await expectOldRuns(app, { changed: ['one/index.js'] });
      },
      MS,
    );

    it('and starts again as it is', () => expectOldStartsAgain(app), MS);
  });

  const stages = [
    ['while it installs', untilItInstalls],
    ['while the new version proves itself', untilItProvesItself],
  ] as const;
  it.each(sample(stages))(
    'by a stop does not start the app again: %s',
    async (_, begin) => {
      const app = await dock();
      const operationId = await begin(app);
      expect((await kit.station.stop(app.repoId)).body.result).toMatchObject({ alreadyStopped: false });
      writeFileSync(app.path('go'), '');
      const { result } = await eventually(
        'the update is over',
        async () => {
          const { body } = await kit.station.operation(operationId);
          return body.result.finishedAt !== undefined && { result: body.result.result };
        },
        30_000,
      );
      expect(result).toMatchObject({ restarted: false, restartRequired: false });
      expect(await entry(app)).toMatchObject({ state: 'stopped', commit: (result as { to: string }).to });
      expect(processesTagged(app.env.TAG)).toEqual([]);
      expect((await kit.station.run(app.repoId, { port: app.port })).body.result.ready).toBe(true);
      expect(await page(app)).toBe('v2 two');
    },
    MS,
  );

  it(
    'by an unload leaves nothing',
    async () => {
      const app = await dock();
      const operationId = await untilItInstalls(app);
      expect((await kit.station.unload(app.repoId)).status).toBe(200);
      expect((await kit.station.operation(operationId)).body.result).toMatchObject({ status: 'cancelled' });
      expect(processesTagged(app.env.TAG)).toEqual([]);
      expect(filesOf(kit.station).filter((name) => name.includes(app.uid) || name === app.repoId)).toEqual([]);
    },
    MS,
  );
});
