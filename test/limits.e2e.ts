import { join } from 'node:path';
import { existsSync, readFileSync } from 'node:fs';
import { packageJson, programs, fixture } from './support/fixtures.js';
import type { GitFile } from './support/git-repository.js';
import { GitServer } from './support/git-server.js';
import { IS_MATRIX, sample } from './support/matrix.js';
import { asUser, isRoot, SERVER_USERS, type ServerUser } from './support/server-users.js';
import { Station, type StationOptions } from './support/station.js';
import { nextEvent } from './support/station-socket.js';
import { filesOf, processesOf } from './support/traces.js';

const LIMITS = { memoryMb: 400, processes: 150, diskMb: 16 };
const MIB = 1024 * 1024;
const PATIENCE_MS = 60_000;

const ENV = {
  APP_MEMORY_MB: String(LIMITS.memoryMb),
  APP_MAX_PROCESSES: String(LIMITS.processes),
  REPO_DISK_MB: String(LIMITS.diskMb),
};

interface Setting {
  name: string;
  options: StationOptions;
  /** A bomb that is real only where the kernel stops it. */
  bomb: string;
  /** The watch over an install is that over an app: once is enough. */
  operations: ('run' | 'install')[];
}

const WITHOUT_SANDBOX: Setting = {
  name: 'without a sandbox',
  options: { env: { ...ENV, SANDBOX: 'none' } },
  bomb: 'node starts-many.js',
  operations: ['run'],
};

const confined = (user: ServerUser, operations: Setting['operations']): Setting => ({
  name: `with bubblewrap, on a server of ${user.name}`,
  // In a session of its own, as a server is that systemd or a shell has started.
  options: { env: { ...ENV, SANDBOX: 'bubblewrap' }, launcher: ['setsid', ...asUser(user)], uid: user.uid },
  bomb: './fork-bomb.sh',
  operations,
});

const WHOEVER: ServerUser = { name: 'whoever runs the tests' };
const SETTINGS = IS_MATRIX
  ? [...SERVER_USERS.map((user) => confined(user, ['run'])), WITHOUT_SANDBOX, confined(WHOEVER, [])]
  : [confined(WHOEVER, ['run', 'install'])];

describe.each(SETTINGS)('$name', ({ name, options, bomb, operations }) => {
  let git: GitServer;
  let station: Station;
  let serverPid: number | undefined;
  let neighbour: { pid: number; url: string };
  let docked = 0;

  beforeAll(async () => {
    git = await GitServer.start();
    station = await Station.start({ allowedHosts: [git.host], ...options });
    serverPid = station.pid;
    const { url } = await git.createRepository('bob/neighbour', { files: fixture('srv') });
    const { repoId } = (await station.clone(url)).body;
    const { result } = (await station.run(repoId)).body;
    neighbour = { pid: Number(result.pid), url: String(result.url) };
  }, 120_000);

  afterAll(async () => {
    await station?.close();
    await git?.close();
  });

  async function dock(scripts: Record<string, string>): Promise<{ repoId: string; uid: string }> {
    const files = { 'package.json': packageJson(scripts), ...programs() };
    const { url } = await git.createRepository(`eve/greedy-${++docked}`, { files });
    const { repoId, uid } = (await station.clone(url)).body;
    return { repoId, uid };
  }

  async function expectOthersUnharmed(): Promise<void> {
    expect(station.pid).toBe(serverPid);
    expect((await station.entry('bob-neighbour')).body.result).toMatchObject({
      state: 'running',
      app: { pid: neighbour.pid },
    });
    expect((await fetch(neighbour.url, { headers: { connection: 'close' } })).status).toBe(200);
  }

  /** Carries it out, and expects that the limit ends it, is told, and leaves nothing that lives. */
  async function expectLimit(operation: 'run' | 'install', script: string, code: string): Promise<void> {
    const { repoId, uid } = await dock({ [operation === 'run' ? 'start' : 'install']: script });
    const socket = await station.socket();
    const limit = nextEvent(socket, 'repo-event', (event) => event.type === 'limit' && event.uid === uid, PATIENCE_MS);
    const { body } = await station[operation](
      repoId,
      operation === 'run' ? { restartPolicy: 'no', readyTimeoutMs: PATIENCE_MS } : {},
    );
    expect(body).toMatchObject({ code, operation, repoId });
    expect(await limit).toMatchObject({ state: 'error', reason: { code } });
    expect((await station.entry(repoId)).body.result).toMatchObject({ state: 'error', stateReason: { code } });
    expect(processesOf(station, uid)).toEqual([]);
    await expectOthersUnharmed();
    await station.unload(repoId);
  }

  if (operations.length > 0)
    describe.each(operations)('%s', (operation) => {
      it.each([
        ['starts process after process', bomb, 'TOO_MANY_PROCESSES'],
        ['writes a file of 10 GB', 'node writes-a-large-file.js', 'DISK_QUOTA'],
        ['takes more and more memory', 'node eats-memory.js', 'OUT_OF_MEMORY'],
      ])(
        'that %s ends with its own repository in error',
        async (_, script, code) => expectLimit(operation, script, code),
        PATIENCE_MS,
      );
    });

  if (!name.endsWith(WHOEVER.name)) return;

  const unseen: [string, string, string][] = [
    ['writes many files', 'node writes-many-files.js', 'DISK_QUOTA'],
    ['takes memory that is mapped as shared', 'python3 eats-shared-memory.py', 'OUT_OF_MEMORY'],
    ['fills a file that is deleted', 'node keeps-a-deleted-file.js', 'DISK_QUOTA'],
    ['fills page tables', 'python3 fills-page-tables.py', 'OUT_OF_MEMORY'],
    ['reserves disk and writes nothing', './reserves-disk.sh', 'DISK_QUOTA'],
    ['writes many files without content', 'node writes-empty-files.js', 'DISK_QUOTA'],
    ...(isRoot
      ? [
          ['fills a file that is deleted, but mapped', 'python3 maps-a-deleted-file.py', 'DISK_QUOTA'] satisfies [
            string,
            string,
            string,
          ],
        ]
      : []),
  ];
  it.each(sample(unseen))(
    'an app that %s is found out, too',
    (_, script, code) => expectLimit('run', script, code),
    PATIENCE_MS,
  );

  it(
    'an install that was given no further process ends by that, though its script goes on',
    () => expectLimit('install', '(while :; do sleep 0.2 & done); exec sleep 1', 'TOO_MANY_PROCESSES'),
    PATIENCE_MS,
  );

  it('the session of the server goes before those of repositories, where there is such a thing', () => {
    const path = `/proc/${station.pid}/autogroup`;
    const priority = isRoot && existsSync(path) ? readFileSync(path, 'latin1') : 'nice -20';
    expect(priority).toContain('nice -20');
  });

  it('a repository that has a program of its own for what sets its limits has them all the same', async () => {
    const sparing = { executable: '#!/bin/sh\nwhile [ "$1" != -- ]; do shift; done\nshift\nexec "$@"\n' };
    const own = ['prlimit', 'sh', 'setpriv', 'sleep', 'env'].map((program) => [
      `node_modules/.bin/${program}`,
      sparing,
    ]);
    const files = { ...fixture('srv'), ...(Object.fromEntries(own) as Record<string, GitFile>) };
    const { url } = await git.createRepository('eve/unlimited', { files });
    const { repoId } = (await station.clone(url)).body;
    const { pid } = (await station.run(repoId)).body.result;
    const limits = readFileSync(`/proc/${pid}/limits`, 'latin1');
    expect(limits).toMatch(new RegExp(`^Max processes +${LIMITS.processes} +${LIMITS.processes} `, 'm'));
    expect(limits).toMatch(new RegExp(`^Max file size +${LIMITS.diskMb * MIB} +${LIMITS.diskMb * MIB} `, 'm'));
    expect(limits).toMatch(/^Max core file size +0 +0 /m);
    await station.unload(repoId);
  });

  it.each([
    ['one file', { large: Buffer.alloc((LIMITS.diskMb + 8) * MIB, 1) }],
    ['all files together', Object.fromEntries([1, 2, 3].map((one) => [`${one}`, Buffer.alloc(6 * MIB, one)]))],
  ])('a clone that is larger than the disk limit, by %s, leaves nothing', async (_, files) => {
    const { url } = await git.createRepository(`eve/large-${++docked}`, { files });
    const before = filesOf(station);
    const { status, body } = await station.clone(url);
    expect([status, body.code]).toEqual([507, 'DISK_QUOTA']);
    expect(filesOf(station)).toEqual(before);
    await expectOthersUnharmed();
  });

  it('an update that is larger than the disk limit leaves the tree as it was', async () => {
    const upstream = await git.createRepository('eve/grows', { files: { 'README.md': 'small' } });
    const { repoId, result } = (await station.clone(upstream.url)).body;
    await upstream.commit({ large: Buffer.alloc((LIMITS.diskMb + 8) * MIB, 1) });
    const { status, body } = await station.update(repoId);
    expect([status, body.code]).toEqual([507, 'DISK_QUOTA']);
    expect((await station.status(repoId)).body.result).toMatchObject({
      state: 'cloned',
      git: { commit: result.commit, clean: true },
    });
    expect(existsSync(join(station.workspaceDir, repoId, 'large'))).toBe(false);
  });
});
