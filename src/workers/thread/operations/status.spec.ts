import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { GitServer } from '../../../../test/support/git-server.js';
import { TestThread } from '../../../../test/support/operation-thread.js';
import { TREE_MARKER } from '../../../contracts/process-tree.js';
import type { InstallRecord, StatusInput, StatusOutput } from '../../../contracts/operations.js';
import { dependencyFingerprint } from '../project/fingerprint.js';
import { clone } from './clone.js';
import { status } from './status.js';

const MANIFEST = {
  name: 'app',
  version: '1.2.3',
  scripts: { start: 'node .' },
  dependencies: { a: '1', '@scope/b': '1' },
  devDependencies: { a: '1', missing: '1' },
};

describe('the status', () => {
  let server: GitServer;
  let station: TestThread;
  let commit: string;

  beforeAll(async () => {
    server = await GitServer.start();
    const files = { 'package.json': JSON.stringify(MANIFEST), 'a.txt': 'a', '.gitignore': 'node_modules\n' };
    const repository = await server.createRepository('alice/app', { files });
    await repository.tag('v1');
    commit = await repository.commitOf('main');
  });
  afterAll(() => server.close());
  beforeEach(async () => {
    station = new TestThread({});
    await cloneOf();
  });
  afterEach(() => station.dispose());

  const cloneOf = (branch?: string) =>
    clone(
      { repoUrl: `${server.url}/alice/app`, branch, depth: 1, git: { allowedHosts: [server.host] } },
      station.next(),
    );
  const statusOf = (input: StatusInput = {}): Promise<StatusOutput> => status(input, station.next());
  const inWorkspace = (name: string) => join(station.paths.workspace, name);

  it('is there also where folders lie deeper than the longest path, and fields are nested without end', async () => {
    const root = inWorkspace('');
    const deep = "for (let i = 0; i < 30; i++) { fs.mkdirSync('d'.repeat(200)); process.chdir('d'.repeat(200)); }";
    execFileSync(process.execPath, ['-e', deep], { cwd: root });
    const nested = `${'{"a":'.repeat(150_000)}1${'}'.repeat(150_000)}`;
    station.write({ 'package.json': `{"workspaces":["*"],"overrides":${nested}}` });
    const before = dependencyFingerprint(root);
    expect((await statusOf({ installed: { fingerprint: before } as InstallRecord })).warnings).toEqual([]);
    station.write({ 'package.json': `{"workspaces":["*"],"overrides":${nested.replace('1', '2')}}` });
    expect(dependencyFingerprint(root)).not.toBe(before);
  });

  it('does not read another repository that a file in place of .git leads to', async () => {
    const other = join(dirname(station.paths.workspace), 'other');
    cpSync(inWorkspace('.git'), other, { recursive: true });
    writeFileSync(join(other, 'HEAD'), 'ref: refs/heads/of-another\n');
    rmSync(inWorkspace('.git'), { recursive: true });
    writeFileSync(inWorkspace('.git'), `gitdir: ${other}\n`);
    const { git, warnings } = await statusOf();
    expect(git.branch).toBeNull();
    expect(warnings).toEqual(['There is a file in place of the .git folder']);
  });

  it('of a fresh clone is clean', async () => {
    expect(await statusOf()).toEqual({
      git: {
        branch: 'main',
        commit,
        upstream: 'origin/main',
        ahead: 0,
        behind: 0,
        clean: true,
        changed: [],
        untracked: 0,
      },
      package: {
        name: 'app',
        version: '1.2.3',
        scripts: { start: 'node .' },
        dependencies: { declared: 3, installed: 0 },
      },
      diskBytes: expect.any(Number) as number,
      process: null,
      warnings: [],
    });
  });

  it('names changed files, whatever their names, and counts untracked ones that are not ignored', async () => {
    station.write({ 'a.txt': 'changed', 'new file': '', 'data/x': '', 'node_modules/a/index.js': '' });
    rmSync(inWorkspace('package.json'));
    const { git } = await statusOf();
    expect(git).toMatchObject({ clean: false, changed: ['a.txt', 'package.json'], untracked: 2 });
  });

  it('has no branch at a tag', async () => {
    rmSync(station.paths.workspace, { recursive: true });
    await cloneOf('v1');
    expect((await statusOf()).git).toMatchObject({ branch: null, commit, upstream: null, clean: true });
  });

  it('counts the dependencies that are installed, by whatever way but a link that leads out of the workspace', async () => {
    station.write({ 'node_modules/.store/a/package.json': '{}' });
    symlinkSync('.store/a', inWorkspace('node_modules/a'));
    mkdirSync(inWorkspace('node_modules/@scope'));
    symlinkSync(dirname(station.paths.workspace), inWorkspace('node_modules/@scope/b'));
    expect((await statusOf()).package?.dependencies).toEqual({ declared: 3, installed: 1 });
  });

  it('warns when the dependencies have changed since they were installed', async () => {
    const installed = { fingerprint: dependencyFingerprint(station.paths.workspace) } as InstallRecord;
    expect((await statusOf({ installed })).warnings).toEqual([]);
    station.write({ 'package-lock.json': '{}' });
    expect((await statusOf({ installed })).warnings).toEqual([
      'The dependencies have changed since they were installed.',
    ]);
  });

  it('has no package where there is no package.json, and warns of one that cannot be read', async () => {
    rmSync(inWorkspace('package.json'));
    expect(await statusOf()).toMatchObject({ package: null, warnings: [] });
    symlinkSync('/etc/passwd', inWorkspace('package.json'));
    const { package: found, warnings } = await statusOf();
    expect(found).toBeNull();
    expect(warnings).toEqual([expect.stringContaining('package.json')]);
    expect(JSON.stringify(warnings)).not.toContain('root:');
  });

  it('counts the bytes of workspace and home', async () => {
    const { diskBytes: before } = await statusOf();
    station.write({ big: 'x'.repeat(1_000_000) });
    mkdirSync(station.paths.home, { recursive: true });
    writeFileSync(join(station.paths.home, 'cache'), 'x'.repeat(1_000_000));
    const { diskBytes: after } = await statusOf();
    expect(after - before).toBeGreaterThan(1_900_000);
    expect(after - before).toBeLessThan(2_300_000);
  });

  it('tells what the tree of an app uses', async () => {
    const marker = `${station.next().context.marker}:app`;
    const script =
      "const until = Date.now() + 200; while (Date.now() < until); console.log('up'); setInterval(() => {}, 1e6)";
    const app = spawn(process.execPath, ['-e', script], { env: { [TREE_MARKER]: marker }, detached: true });
    try {
      await once(app.stdout, 'data');
      const { process: used } = await statusOf({ tree: { marker } });
      expect(used?.processes).toBe(1);
      expect(used?.memoryBytes).toBeGreaterThan(10_000_000);
      expect(used?.cpuPercent).toBeGreaterThan(5);
      expect(used?.cpuPercent).toBeLessThan(200);
    } finally {
      app.kill('SIGKILL');
    }
  });

  it('is told, with a warning, of a workspace whose .git folder is gone or damaged', async () => {
    writeFileSync(inWorkspace('.git/index'), 'damaged');
    expect(await statusOf()).toMatchObject({ git: { commit: null, clean: false }, warnings: [expect.any(String)] });
    rmSync(inWorkspace('.git'), { recursive: true });
    expect(await statusOf()).toMatchObject({
      git: { commit: null },
      package: { name: 'app' },
      warnings: ['There is no .git folder any more'],
    });
  });

  it('is told, with a warning, of a workspace in which git would wait for a pipe', async () => {
    mkdirSync(inWorkspace('new'));
    execFileSync('mkfifo', [inWorkspace('new/.gitignore'), inWorkspace('pipe')]);
    expect(await statusOf()).toMatchObject({
      git: { commit: null },
      package: { name: 'app' },
      warnings: ['new/.gitignore is a named pipe, and git would wait for it'],
    });
  });

  it('does not read the .git folder that a link leads to', async () => {
    const other = new TestThread({});
    try {
      rmSync(inWorkspace('.git'), { recursive: true });
      symlinkSync(join(other.paths.workspace, '.git'), inWorkspace('.git'));
      expect((await statusOf()).git.commit).toBeNull();
    } finally {
      await other.dispose();
    }
  });

  it('runs nothing that was planted in the repository, and changes nothing there', async () => {
    const canary = join(dirname(station.paths.workspace), 'canary');
    station.write({ 'a.txt': 'b', 'planted/canary.sh': `#!/bin/sh\ntouch ${canary}\ncat\n` });
    const run = `sh ${inWorkspace('planted/canary.sh')}`;
    const planted = [
      `[core]\n\tfsmonitor = ${run}\n\thooksPath = ${inWorkspace('planted')}`,
      `[filter "x"]\n\tclean = ${run}\n\tsmudge = ${run}\n\tprocess = ${run}\n\trequired = true`,
      '[extensions]\n\tworktreeConfig = true',
      '[include]\n\tpath = planted-config',
      `[core] fsmonitor = ${run}`,
    ];
    appendFileSync(inWorkspace('.git/config'), `${planted.join('\n')}\n`);
    for (const name of ['config.worktree', 'planted-config']) {
      writeFileSync(inWorkspace(`.git/${name}`), `${planted.slice(0, 2).join('\n')}\n`);
    }
    writeFileSync(inWorkspace('.git/info/attributes'), '* filter=x\n');
    for (const hook of ['post-index-change', 'fsmonitor-watchman']) {
      writeFileSync(inWorkspace(`.git/hooks/${hook}`), `#!/bin/sh\ntouch ${canary}\n`, { mode: 0o755 });
    }
    const before = readFileSync(inWorkspace('.git/config'), 'utf8');

    const statuses = await Promise.all(Array.from({ length: 5 }, () => statusOf()));

    for (const { git } of statuses) expect(git).toMatchObject({ changed: ['a.txt'], branch: 'main' });
    expect(existsSync(canary)).toBe(false);
    expect(readFileSync(inWorkspace('.git/config'), 'utf8')).toBe(before);
  });

  it('is not let into a submodule that leads to another repository', async () => {
    const files = { sub: { submodule: commit }, 'a.txt': '' };
    const { url } = await server.createRepository('alice/super', { files });
    rmSync(station.paths.workspace, { recursive: true });
    await clone({ repoUrl: url, depth: 1, git: { allowedHosts: [server.host] } }, station.next());
    const canary = join(dirname(station.paths.workspace), 'canary');
    const evil = join(dirname(station.paths.workspace), 'evil');
    cpSync(inWorkspace('.git'), evil, { recursive: true });
    appendFileSync(join(evil, 'config'), `[core]\n\tfsmonitor = touch ${canary};:\n`);
    writeFileSync(join(evil, 'HEAD'), `${commit}\n`);
    station.write({ 'sub/.git': `gitdir: ${evil}\n` });
    expect((await statusOf()).git).toMatchObject({ changed: [], branch: 'main' });
    expect(existsSync(canary)).toBe(false);
  });
});
