import { spawn, type ChildProcess } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { once } from 'node:events';
import { randomBytes } from 'node:crypto';
import { join, resolve } from 'node:path';
import { execa } from 'execa';
import type { LogLine } from '../src/contracts/log.js';
import { eventually } from './support/eventually.js';
import { fixture, packageJson } from './support/fixtures.js';
import { GitServer } from './support/git-server.js';
import { itInMatrix, sample } from './support/matrix.js';
import { freePort } from './support/ports.js';
import { alive, processesTagged } from './support/processes.mjs';
import { Station } from './support/station.js';
import { temporaryFolder } from './support/temporary-folder.mjs';
import { databaseFiles, filesOf, processesOf, rewriteEntries, stagedOf } from './support/traces.js';
import { useStation } from './support/use-station.js';

const ASYNC = { headers: { prefer: 'respond-async' } };
const LIVES_MS = 60_000; // of a test in which the station starts several times

const listed = async (station: Station): Promise<string[]> => {
  const { body } = await station.api<{ repositories: { repoId: string }[] }>('GET', '/repo/list');
  return body.result.repositories.map(({ repoId }) => repoId).toSorted();
};

const text = async (url: string | null | undefined): Promise<string> =>
  (await fetch(String(url), { headers: { connection: 'close' } })).text();

const stateOf = async (station: Station, repoId: string) => (await station.entry(repoId)).body.result.state;

const isRunning = (station: Station, repoId: string) =>
  eventually(`${repoId} is running`, async () => (await stateOf(station, repoId)) === 'running', 15_000);

/** What a killed station was in the middle of is told as interrupted, to whom it was answered and in the history. */
async function expectInterrupted(station: Station, operationId: string): Promise<void> {
  const { body } = await station.operation(operationId);
  expect(body.result).toMatchObject({ status: 'failed', error: { code: 'INTERRUPTED', retryable: true } });
  expect(body.result.finishedAt).toBeGreaterThan(0);
}

// With a sandbox nothing outlives the server: without one it has to be found again.
const kit = useStation({ env: { SANDBOX: 'none' } });

async function unloadAll(): Promise<void> {
  for (const repoId of await listed(kit.station)) await kit.station.unload(repoId);
}

describe('A station that was killed', () => {
  afterAll(unloadAll);

  it(
    'takes nobody for its own who was only started beside it',
    async () => {
      const { git } = kit;
      const launcher = ['setsid', '/bin/sh', '-c', 'sleep 120 & echo "beside $!"; exec "$@"', 'sh'];
      const station = await Station.start({ allowedHosts: [git.host], env: { SANDBOX: 'none' }, launcher });
      const beside = () => [...station.output.matchAll(/^beside (\d+)$/gm)].map(([, pid]) => Number(pid));
      try {
        const { url } = await git.createRepository('killed/beside', { files: fixture('hello') });
        const stall = git.stall('/killed/beside/git-upload-pack');
        const { body } = await station.clone(url, {}, ASYNC);
        await stall.reached;
        const orphans = processesOf(station, body.uid);
        await station.kill('SIGKILL');
        await station.restart();
        expect([orphans.filter(alive), beside().filter(alive)]).toEqual([[], beside()]);
        stall.release();
      } finally {
        for (const pid of beside()) process.kill(pid, 'SIGKILL');
        await station.close();
      }
    },
    LIVES_MS,
  );

  it(
    'in the middle of a clone leaves nothing of it',
    async () => {
      const { git, station } = kit;
      const { url } = await git.createRepository('killed/clone', { files: fixture('hello') });
      const stall = git.stall('/killed/clone/git-upload-pack');
      const { body } = await station.clone(url, {}, ASYNC);
      await stall.reached;
      const behind = await station.install(body.uid, {}, ASYNC);
      const orphans = processesOf(station, body.uid);
      expect(orphans).not.toEqual([]);
      await station.kill('SIGKILL');
      await station.restart();

      expect(orphans.filter(alive)).toEqual([]);
      expect(filesOf(station)).toEqual([]);
      expect(await listed(station)).toEqual([]);
      await expectInterrupted(station, body.operationId);
      await expectInterrupted(station, behind.body.operationId);
      stall.release();
      expect((await station.clone(url)).status).toBe(201);
    },
    LIVES_MS,
  );

  it(
    'in the middle of an install says that nobody can vouch for it, and installs again',
    async () => {
      const { git, station } = kit;
      const { url } = await git.createRepository('killed/install', {
        files: {
          'package.json': packageJson({ start: 'node -e 1', preinstall: 'node wait.js' }),
          'wait.js': `const fs = require('node:fs'); process.on('SIGTERM', () => undefined);
          fs.writeFileSync('waiting', ''); setInterval(() => fs.existsSync('go') && process.exit(), 20);`,
        },
      });
      const { repoId, uid } = (await station.clone(url)).body;
      const workspace = join(station.workspaceDir, repoId);
      const { operationId } = (await station.install(repoId, {}, ASYNC)).body;
      await eventually('the install waits', () => existsSync(join(workspace, 'waiting')), 15_000);
      await station.kill('SIGKILL');
      await station.restart();

      expect(processesOf(station, uid)).toEqual([]);
      await expectInterrupted(station, operationId);
      const { result } = (await station.entry(repoId)).body;
      expect(result).toMatchObject({ state: 'error', stateReason: { code: 'INTERRUPTED' } });
      expect(result.activeOperation).toBeUndefined();
      writeFileSync(join(workspace, 'go'), '');
      expect((await station.install(repoId)).status).toBe(200);
      expect(await stateOf(station, repoId)).toBe('ready');
    },
    LIVES_MS,
  );

  it(
    'in the middle of a git command updates in spite of the locks that are left',
    async () => {
      const { git, station } = kit;
      const repository = await git.createRepository('killed/locked', { files: fixture('hello') });
      const { repoId } = (await station.clone(repository.url)).body;
      const folder = join(station.workspaceDir, repoId, '.git');
      await station.kill('SIGKILL');
      for (const lock of ['index.lock', 'HEAD.lock', 'shallow.lock', 'config.lock'])
        writeFileSync(join(folder, lock), '');
      await station.restart();
      expect((await station.status(repoId)).body.result.git).toMatchObject({ clean: true });
      const to = await repository.commit({ 'more.txt': 'more' });
      expect((await station.update(repoId)).body.result).toMatchObject({ to });
      writeFileSync(join(folder, 'index.lock'), ''); // also one that is left without a restart
      expect((await station.update(repoId)).status).toBe(200);
    },
    LIVES_MS,
  );

  it(
    'in the middle of an update has the version before it, with its dependencies',
    async () => {
      const { git, station } = kit;
      const library = await git.createRepository('killed/library');
      const repository = await git.createRepository('killed/update', {
        files: { 'package.json': packageJson({ start: 'node -e 1' }) },
      });
      const { repoId, result } = (await station.clone(repository.url)).body;
      const from = String(result.commit);
      expect((await station.install(repoId)).status).toBe(200);
      const to = await repository.commit({
        'package.json': packageJson({ start: 'node -e 1' }, { dependencies: { word: 'file:./word' } }),
        '.gitmodules': '[submodule "library"]\n\tpath = library\n\turl = ../library.git\n',
        library: { submodule: await library.commitOf('main') },
      });
      const stall = git.stall('/killed/library/'); // the last that an update fetches
      const { operationId } = (await station.update(repoId, {}, ASYNC)).body;
      await stall.reached;
      await station.kill('SIGKILL');
      stall.release();
      await station.restart();

      await expectInterrupted(station, operationId);
      expect((await station.entry(repoId)).body.result).toMatchObject({ commit: from, state: 'ready' });
      expect((await station.status(repoId)).body.result.git).toMatchObject({ commit: from, clean: true });
      expect((await station.update(repoId)).body.result).toMatchObject({ from, to, dependenciesChanged: true });
      await station.unload(repoId);
    },
    LIVES_MS,
  );

  itInMatrix(
    'in the middle of an update that cannot be undone tries again at the next start, unless it was taken as it is',
    async () => {
      const { git, station } = kit;
      const NAMES = ['stuck', 'installed', 'run'];
      const library = await git.createRepository('killed/shelf');
      const files = { 'package.json': packageJson({ start: 'node -e 1' }) };
      const repository = await git.createRepository('killed/stuck', { files });
      for (const repoId of NAMES) await station.clone(repository.url, { repoId });
      const from = (await station.entry('stuck')).body.result.commit;
      const to = await repository.commit({
        '.gitmodules': '[submodule "shelf"]\n\tpath = shelf\n\turl = ../shelf.git\n',
        shelf: { submodule: await library.commitOf('main') },
      });
      const stall = git.stall('/killed/shelf/');
      for (const repoId of NAMES) await station.update(repoId, {}, ASYNC);
      const path = (repoId: string, name: string) => join(station.workspaceDir, repoId, name);
      const commitOf = async (repoId: string) =>
        (await execa('git', ['-c', 'safe.directory=*', '-C', path(repoId, '.'), 'rev-parse', 'HEAD'])).stdout;
      await eventually('all have moved', async () =>
        (await Promise.all(NAMES.map(commitOf))).every((commit) => commit === to),
      );
      await stall.reached;
      await station.kill('SIGKILL');
      stall.release();
      for (const repoId of NAMES) renameSync(path(repoId, '.git'), path(repoId, 'away'));
      await station.restart();
      for (const repoId of NAMES) {
        expect((await station.entry(repoId)).body.result).toMatchObject({
          state: 'error',
          stateReason: { code: 'INTERRUPTED', message: expect.stringContaining('no .git folder') as string },
        });
        renameSync(path(repoId, 'away'), path(repoId, '.git'));
      }
      expect((await station.install('installed')).status).toBe(200);
      expect((await station.run('run', { background: false })).body.result.exitCode).toBe(0);
      await station.restart();
      expect((await station.entry('stuck')).body.result).toMatchObject({ state: 'cloned', commit: from });
      expect((await station.status('stuck')).body.result.git).toMatchObject({ commit: from, clean: true });
      for (const repoId of ['installed', 'run']) {
        expect((await station.entry(repoId)).body.result.stateReason).toBeUndefined();
        expect((await station.status(repoId)).body.result.git.commit).toBe(to);
      }
    },
    LIVES_MS,
  );

  it(
    'starts whatever a repository has put in its way, and removes nothing outside of it',
    async () => {
      const { git, station } = kit;
      const { url } = await git.createRepository('killed/planted', { files: fixture('hello') });
      const [folders, link] = await Promise.all(
        ['planted-folders', 'planted-link'].map(async (repoId) => {
          await station.clone(url, { repoId });
          return join(station.workspaceDir, repoId);
        }),
      );
      await station.kill('SIGKILL');
      for (const name of ['.git/evil.lock', '.mcp-isolation.json.next/x', '.git/config.safe/x']) {
        mkdirSync(join(String(folders), name), { recursive: true });
      }
      const outside = await temporaryFolder('outside');
      renameSync(join(String(link), '.git'), join(outside, 'git'));
      symlinkSync(join(outside, 'git'), join(String(link), '.git'));
      writeFileSync(join(outside, 'git/kept.lock'), '');
      const forgotten = join(station.dataDir, 'logs/r_forgotten/op_forgotten');
      mkdirSync(forgotten, { recursive: true });
      utimesSync(forgotten, 1, 1);
      await station.restart();

      expect(existsSync(join(outside, 'git/kept.lock'))).toBe(true);
      expect(existsSync(join(station.dataDir, 'logs/r_forgotten'))).toBe(false);
      expect((await station.update('planted-folders')).status).toBe(200);
      expect((await station.run('planted-folders')).status).toBe(200);
      expect((await station.update('planted-link')).body.code).toBe('GIT_FAILED');
      for (const repoId of ['planted-folders', 'planted-link']) expect((await station.unload(repoId)).status).toBe(200);
      await rm(outside, { recursive: true });
    },
    LIVES_MS,
  );

  it(
    'does not let go of what its apps were: each is brought back, on its port, or ended',
    async () => {
      const { git, station } = kit;
      const files = {
        'package.json': packageJson({ start: 'node start.js' }),
        // Says nothing after its start, so that it does not notice that nobody reads its output any more.
        'start.js': `require('node:child_process').spawn(process.execPath, ['-e', 'setInterval(() => undefined, 1000)'], { detached: true, stdio: 'ignore' }).unref();
        require('node:http').createServer((_, response) => response.end('here')).listen(process.env.PORT, () => console.log('up'));`,
      };
      const port = await freePort();
      const apps = await Promise.all(
        [{ restartPolicy: 'no' }, { port }].map(async (options, index) => {
          const { url } = await git.createRepository(`killed/app${index}`, { files });
          const { repoId, uid } = (await station.clone(url)).body;
          const { url: appUrl, pid } = (await station.run(repoId, { ...options, env: { TAG: uid } })).body.result;
          return { repoId, uid, appUrl, pid, processes: processesTagged(uid) };
        }),
      );
      const [ended, back] = apps as [(typeof apps)[0], (typeof apps)[0]];
      await station.kill('SIGKILL');
      expect(ended.processes.filter(alive)).toEqual(ended.processes);
      await station.restart();

      expect([...ended.processes, ...back.processes].filter(alive)).toEqual([]);
      await expect(text(ended.appUrl)).rejects.toThrow('fetch failed');
      expect((await station.entry(ended.repoId)).body.result).toMatchObject({ state: 'stopped', app: { pid: null } });
      expect((await station.run(ended.repoId)).body.result.ready).toBe(true);
      const app = await eventually(
        'it is ready again',
        async () => {
          const found = (await station.entry(back.repoId)).body.result.app;
          return found?.ready && found;
        },
        15_000,
      );
      expect(await text(back.appUrl)).toBe('here');
      expect(app).toMatchObject({ port });
      expect(app.pid).not.toBe(back.pid);
      const logs = await station.api<{ lines: LogLine[] }>('GET', `/repo/${back.repoId}/logs`);
      expect(logs.body.result.lines.map((line) => line.text)).toContain('up');
      expect((await station.stop(back.repoId)).body.result).toMatchObject({ alreadyStopped: false });
      expect(processesTagged(back.uid)).toEqual([]);
      await station.unload(ended.repoId);
    },
    LIVES_MS,
  );

  it(
    'does not take a stranger for its app who has been given its pid',
    async () => {
      const { git, station } = kit;
      const { url } = await git.createRepository('killed/reused', { files: fixture('srv') });
      const { repoId, uid } = (await station.clone(url)).body;
      const { pid } = (await station.run(repoId, { restartPolicy: 'no' })).body.result;
      await station.kill('SIGKILL');
      for (const one of processesOf(station, uid)) process.kill(one, 'SIGKILL');
      const stranger = spawn('sleep', ['600'], { detached: true, stdio: 'ignore' });
      try {
        rewriteEntries(station, (entries) =>
          entries
            .filter((entry) => entry.uid === uid)
            .map((entry) => {
              const { root, marker = '' } = entry.appTree ?? {};
              const reused = { pid: Number(stranger.pid), startTime: root?.startTime ?? 0 };
              const app = entry.app && { ...entry.app, pid: reused.pid };
              return { ...entry, app, appTree: { marker, root: reused, seen: [reused, { ...reused, pid: 1 }] } };
            }),
        );
        await station.restart();
        expect(pid).not.toBe(stranger.pid);
        expect((await station.status(repoId)).body.result).toMatchObject({ state: 'stopped', process: null });
        expect((await station.stop(repoId)).body.result).toMatchObject({ alreadyStopped: true });
        expect((await station.unload(repoId)).body.result).toMatchObject({ unloaded: true, appStopped: false });
        expect(alive(Number(stranger.pid))).toBe(true);
      } finally {
        await end(stranger);
      }
    },
    LIVES_MS,
  );
});

describe('An update of an app that runs', () => {
  afterAll(unloadAll);
  /** A dependency that needs no registry. */
  const withDependency = {
    'package.json': packageJson({ start: 'node s.js' }, { dependencies: { word: 'file:./word' } }),
    'word/package.json': JSON.stringify({ name: 'word', version: '1.0.0', main: 'index.js' }),
    'word/index.js': `module.exports = 'version 2';`,
    's.js': serve(`require('word')`),
  };

  itInMatrix(
    'says that it is behind, and runs the new version once it was installed',
    async () => {
      const { git, station } = kit;
      const files = { 'package.json': packageJson({ start: 'node s.js' }), 's.js': serve(`'version 1'`) };
      const repository = await git.createRepository('behind/app', { files });
      const { repoId } = (await station.clone(repository.url)).body;
      const { url } = (await station.run(repoId)).body.result;
      await repository.commit(withDependency);

      const update = (await station.update(repoId)).body.result;
      expect(update).toMatchObject({ dependenciesChanged: true, restartRequired: true });
      expect(await text(url)).toBe('version 1');
      await station.stop(repoId);
      expect((await station.run(repoId)).body.code).toBe('DEPENDENCIES_NOT_INSTALLED');
      expect((await station.install(repoId)).status).toBe(200);
      expect(await text((await station.run(repoId)).body.result.url)).toBe('version 2');
    },
    LIVES_MS,
  );
});

describe('A station whose memory was damaged', () => {
  const NAMES = ['lost-app', 'lost-other'];
  const database = (station: Station) => join(station.dataDir, 'station.db');

  beforeAll(async () => {
    const { git, station } = kit;
    for (const name of ['app', 'other']) {
      const { url } = await git.createRepository(`lost/${name}`, { files: fixture('srv') });
      await station.clone(url);
    }
    await station.run('lost-app', { env: { COLOUR: 'teal' } });
  });

  const damages: [string, (station: Station) => void][] = [
    [
      'ends in the middle',
      (station) => {
        truncateSync(database(station), Math.floor(statSync(database(station)).size / 2));
      },
    ],
    [
      'has noise in it',
      (station) => {
        const bytes = readFileSync(database(station));
        randomBytes(bytes.length - 4_096).copy(bytes, 4_096);
        writeFileSync(database(station), bytes);
      },
    ],
    ['is gone', (station) => databaseFiles(station).forEach((file) => rmSync(file))],
    ['is empty', (station) => truncateSync(database(station), 0)],
    ['is something else', (station) => writeFileSync(database(station), '[]'.repeat(10_000))],
  ];
  it.each(sample(damages))(
    'knows every repository again when the database %s',
    async (_, damage) => {
      const { station } = kit;
      await isRunning(station, 'lost-app');
      await station.kill('SIGTERM'); // which leaves all that is known in this one file
      damage(station);
      station.output = '';
      await station.restart();
      expect(await listed(station)).toEqual(NAMES);
      expect(station.output).toMatch(/from its manifest/);
      await isRunning(station, 'lost-app');
      expect((await station.status('lost-other')).body.result).toMatchObject({ state: 'cloned', git: { clean: true } });
    },
    LIVES_MS,
  );

  it('keeps the damaged database, for whoever can mend it', () => {
    expect(readdirSync(kit.station.dataDir).filter((name) => name.includes('.damaged-')).length).toBeGreaterThan(0);
  });

  it(
    'needs no manifest as long as it has its database, and says which cannot be read',
    async () => {
      const { station } = kit;
      const { uid } = (await station.entry('lost-other')).body.result;
      const manifest = join(station.workspaceDir, '.manifests', `${uid}.json`);
      await station.kill('SIGTERM');
      truncateSync(manifest, 100);
      station.output = '';
      await station.restart();
      expect(await listed(station)).toEqual(NAMES);
      expect(station.output).toContain(manifest);
      await station.api('PATCH', '/repo/lost-other', { visibility: 'shared' });
      expect(JSON.parse(readFileSync(manifest, 'utf8'))).toMatchObject({ uid, visibility: 'shared' });
    },
    LIVES_MS,
  );

  it(
    'deletes nothing that it does not know any more',
    async () => {
      const { station } = kit;
      const { uid } = (await station.entry('lost-other')).body.result;
      await station.kill('SIGTERM');
      for (const file of databaseFiles(station)) rmSync(file);
      writeFileSync(join(station.workspaceDir, '.manifests', `${uid}.json`), '{"uid":');
      await station.restart();
      expect(await listed(station)).toEqual(['lost-app']);
      expect(existsSync(join(station.workspaceDir, 'lost-other', 's.js'))).toBe(true);
      // The folder stays: a new clone gets another one.
      const { git } = kit;
      const again = await station.clone(`${git.url}/lost/other.git`);
      expect([again.status, again.body.repoId]).toEqual([201, 'lost-other']);
      expect(filesOf(station)).toContain(`lost-other~${again.body.uid}`);
    },
    LIVES_MS,
  );
});

const mayMount = process.getuid?.() === 0;
if (!mayMount) console.warn('Not run as root: a full disk cannot be made, and its tests are skipped');

(mayMount ? describe : describe.skip)('A station whose disk is full', () => {
  const DISK = '16m';
  let git: GitServer;
  let station: Station;
  let disk: string;

  beforeAll(async () => {
    git = await GitServer.start();
    disk = await temporaryFolder('disk');
    await execa('mount', ['-t', 'tmpfs', '-o', `size=${DISK}`, 'tmpfs', disk]);
    const [dataDir, workspaceDir] = [join(disk, 'data'), join(disk, 'workspace')];
    await mkdir(dataDir, { mode: 0o700 });
    station = await Station.start({ dataDir, workspaceDir, allowedHosts: [git.host], env: { SANDBOX: 'none' } });
    for (const name of ['a', 'b', 'c']) {
      await station.clone((await git.createRepository(`full/${name}`, { files: fixture('srv') })).url);
    }
  });
  afterAll(async () => {
    await station?.close();
    await git.close();
    await execa('umount', [disk]);
    await rm(disk, { recursive: true });
  });

  /** Until not a byte more goes in. */
  async function fill(): Promise<() => void> {
    const file = join(disk, 'full');
    await execa('dd', ['if=/dev/zero', `of=${file}`, 'bs=4k'], { reject: false });
    return () => rmSync(file);
  }

  it(
    'fails a clone that does not fit, leaves nothing of it, and keeps the others',
    async () => {
      const { url } = await git.createRepository('full/large', { files: { blob: randomBytes(20_000_000) } });
      const { status, body } = await station.clone(url);
      expect([status, body.code]).toEqual([507, 'NO_SPACE']);
      expect(await listed(station)).toEqual(['full-a', 'full-b', 'full-c']);
      expect([...filesOf(station).filter((name) => name.includes('large')), ...stagedOf(station)]).toEqual([]);
      await station.restart();
      expect(await listed(station)).toEqual(['full-a', 'full-b', 'full-c']);
      expect((await station.run('full-a')).body.result.ready).toBe(true);
      await station.stop('full-a');
    },
    LIVES_MS,
  );

  it(
    'is alive but not ready, stops what runs, and is as before once there is space',
    async () => {
      await station.run('full-b', { env: { TAG: 'full-b' } });
      const free = await fill();
      const probe = async (path: string) => (await station.api('GET', path, undefined, { key: null })).status;
      await eventually('it is not ready', async () => (await probe('/health/ready')) === 503);
      expect(await probe('/health/live')).toBe(200);
      const { url } = await git.createRepository('full/late', { files: fixture('hello') });
      expect((await station.clone(url)).body.code).toBe('NO_SPACE');
      await station.stop('full-b');
      expect(processesTagged('full-b')).toEqual([]);
      expect(await stateOf(station, 'full-b')).toBe('stopped');
      expect(await listed(station)).toEqual(['full-a', 'full-b', 'full-c']);

      free();
      await eventually('it is ready', async () => (await probe('/health/ready')) === 200);
      expect((await station.clone(url)).status).toBe(201);
      expect((await station.run('full-b')).body.result.ready).toBe(true);
    },
    LIVES_MS,
  );

  it.each(sample(['SIGKILL', 'SIGTERM'] as const))(
    'is alive after its start (%s), so that something can be unloaded',
    async (signal) => {
      const known = await listed(station);
      await isRunning(station, 'full-b');
      const free = await fill();
      await station.kill(signal);
      const ready = station.restart();
      const lives = () =>
        station.api('GET', '/health/live').then(
          ({ status }) => status === 200,
          () => false,
        );
      await Promise.race([ready, eventually('it is alive', lives, 15_000)]);
      expect(await listed(station)).toEqual(known);
      expect((await station.unload(String(known.at(-1)))).body.result).toMatchObject({ unloaded: true });
      expect(await listed(station)).toEqual(known.slice(0, -1));
      free();
      await ready;
      await isRunning(station, 'full-b');
    },
    LIVES_MS,
  );
});

describe('A second station', () => {
  const start = (env: Record<string, string>) =>
    execa(process.execPath, [resolve('dist/station-loader.cjs')], { env, reject: false, timeout: 20_000 });

  it('on the folders of one that runs does not start, and leaves that one alone', async () => {
    const { dataDir: DATA_DIR, workspaceDir: WORKSPACE_DIR, output } = kit.station;
    const { exitCode, stderr } = await start({ PORT: '0', DATA_DIR, WORKSPACE_DIR });
    expect([exitCode, stderr]).toEqual([78, expect.stringContaining('a station is running on this folder already')]);
    expect(kit.station.output).toBe(output);
  });

  it('on its workspaces alone does not start either', async () => {
    const folder = await temporaryFolder('second');
    const { workspaceDir: WORKSPACE_DIR, output } = kit.station;
    const { exitCode, stderr } = await start({ PORT: '0', DATA_DIR: join(folder, 'data'), WORKSPACE_DIR });
    expect([exitCode, stderr]).toEqual([78, expect.stringContaining('WORKSPACE_DIR: a station is running on this')]);
    expect(kit.station.output).toBe(output);
    await rm(folder, { recursive: true });
  });

  it('on the port of one that runs says so, and ends', async () => {
    const folder = await temporaryFolder('second');
    const { port } = kit.station;
    const folders = { DATA_DIR: join(folder, 'data'), WORKSPACE_DIR: join(folder, 'workspace') };
    const { exitCode, stderr } = await start({ PORT: String(port), SANDBOX: 'none', ...folders });
    const message = `PORT: ${port} of 127.0.0.1 is in use; choose another one`;
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining(message)]);
    await rm(folder, { recursive: true });
  });
});

describe('A station whose data folder is taken away', () => {
  it('is alive, but not ready until it is back', async () => {
    const { station } = kit;
    const probe = async (path: string) => station.api('GET', path, undefined, { key: null });
    const away = `${station.dataDir}.away`;
    await execa('mv', [station.dataDir, away]);
    const { body } = await eventually('it is not ready', async () => {
      const answer = await probe('/health/ready');
      return answer.status === 503 && answer;
    });
    expect(JSON.stringify(body)).not.toContain(station.dataDir);
    expect((await probe('/health/live')).status).toBe(200);
    await execa('mv', [away, station.dataDir]);
    await eventually('it is ready', async () => (await probe('/health/ready')).status === 200);
  });
});

function serve(expression: string): string {
  return `require('node:http').createServer((_, response) => response.end(${expression})).listen(process.env.PORT);`;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}
