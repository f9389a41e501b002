import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { getPriority, tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { eventually } from '../../../../test/support/eventually.js';
import { UNCONFINED } from '../../../../test/support/sandbox-plans.js';
import type { SandboxPlan } from '../../../contracts/sandbox-plan.js';
import { killTree } from '../../../machine/end-tree.js';
import { findTree } from '../../../machine/process-tree.js';
import { Bubblewrap } from './bubblewrap.js';

/** Their numbers on x64 and arm64, and arguments that the kernel takes. */
const CALLS: Record<string, [number, number, ...(number | string)[]]> = {
  add_key: [248, 217, '"user"', '"for others"', '"a message"', 9, -3],
  request_key: [249, 218, '"user"', '"of others"', 0, -3],
  keyctl: [250, 219, 0, -3, 0],
  memfd_create: [319, 279, '"hidden"', 0],
  bpf: [321, 280, 0, '"\\0" x 120', 120],
  io_uring_setup: [425, 425, 1, '"\\0" x 120'],
};

describe('a sandbox of a repository that has put something in the place of its own folders', () => {
  const marker = `bubblewrap-spec:${process.pid}`;
  const user = process.getuid?.() === 0 ? 65_533 : undefined;
  let root: string;
  let paths: { workspace: string; home: string; staging: string };

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'bubblewrap-'));
    paths = { workspace: join(root, 'workspace'), home: join(root, 'home'), staging: join(root, 'staging') };
    for (const folder of [paths.workspace, paths.home, join(root, 'outside')]) mkdirSync(folder);
    writeFileSync(join(root, 'outside', 'secret'), 'S3CR3T', { mode: 0o644 });
    execFileSync('chmod', ['755', root]);
  });
  afterEach(async () => {
    await killTree(() => findTree({ marker }));
    rmSync(root, { recursive: true });
  });

  function confined(): SandboxPlan {
    const machine = { ...UNCONFINED.machine, ...(user !== undefined && { user }) };
    return { ...UNCONFINED, isolation: { driver: 'bubblewrap' }, machine };
  }

  /** Read only once all has ended. */
  async function said(script: string, { repoId = 'app', env = {} } = {}): Promise<string> {
    const sandbox = new Bubblewrap(confined(), { operationId: 'op', repoId, paths, marker });
    try {
      const { stdout, exited } = await sandbox.spawn({
        purpose: 'app',
        file: '/bin/sh',
        args: ['-c', `{ ${script}; } 2>&1`],
        cwd: paths.workspace,
        env: { PATH: '/usr/bin:/bin', ...env },
        stdin: 'empty',
      });
      await exited;
      await eventually('the sandbox has ended', () => findTree({ marker }).length === 0);
      await nextTurn(); // the end of the child has been told
      await nextTurn(); // and what comes of it has been done
      return await text(stdout);
    } finally {
      await sandbox.dispose();
    }
  }

  it('has a host name that Linux takes, however long its name is', async () => {
    expect(await said('cat /etc/hostname /proc/sys/kernel/hostname', { repoId: 'a'.repeat(100) })).toContain(
      'a'.repeat(63),
    );
  });

  it('is not to blame where the repository has closed its folder to git', async () => {
    if (user === undefined) return; // whoever cannot enter the folder cannot even begin
    const sandbox = new Bubblewrap(confined(), { operationId: 'op', repoId: 'app', paths, marker });
    const { binary, hasBegun } = sandbox.git();
    chmodSync(paths.workspace, 0o000);
    const [shell, script] = binary;
    const { stderr } = spawnSync(shell, [script, 'status'], { cwd: paths.workspace, encoding: 'utf8' });
    expect([stderr, hasBegun()]).toEqual([expect.stringContaining("can't cd"), true]);
    await sandbox.dispose();
  });

  it('takes nothing in the value of a variable for an order', async () => {
    const env = { A: `a\0--bind\0${root}\0${root}` };
    await expect(said(`cat ${root}/outside/secret`, { env })).rejects.toMatchObject({ code: 'BAD_REQUEST' });
  });

  it.each([
    ['a link that leads out', () => symlinkSync(join(root, 'outside'), join(paths.home, 'tmp'))],
    ['a link that leads nowhere', () => symlinkSync(join(root, 'nowhere'), join(paths.home, 'tmp'))],
    ['a file', () => writeFileSync(join(paths.home, 'tmp'), '')],
    ['a pipe', () => execFileSync('mkfifo', [join(paths.home, 'tmp')])],
  ])('has temporary files of its own: %s', async (_, plant) => {
    plant();
    expect(await said('echo mine > /tmp/a && cat /tmp/a /tmp/secret')).toMatch(/^mine\n.*No such file/);
  });

  it.each([
    ['a link that leads out', (path: string) => symlinkSync(join(root, 'outside', 'secret'), path)],
    ['a pipe', (path: string) => execFileSync('mkfifo', [path])],
  ])('shows nothing else for the manifest, and does not wait: %s', async (_, plant) => {
    plant(join(paths.workspace, '.mcp-isolation.json'));
    expect(await said('test -f .mcp-isolation.json && cat .mcp-isolation.json; echo over')).toBe('over\n');
  });

  it('gives nobody memory that no process shows, but for the little that databases ask for', async () => {
    expect(await said('ipcmk --shmem 4096; ipcmk --shmem 1048576')).toMatch(
      /^Shared memory id: \d+\n.*Invalid argument/,
    );
    expect(await said('ipcmk --semaphore 17; ipcmk --semaphore 32000; ipcmk --queue')).toMatch(
      /^Semaphore id: \d+\n.*Invalid argument\n.*not implemented/,
    );
  });

  it.each(Object.entries(CALLS))('has no %s', async (_, [x64, arm64, ...args]) => {
    const call = [process.arch === 'x64' ? x64 : arm64, ...args].join(', ');
    expect(await said(`perl -e 'my @call = (${call}); syscall(shift @call, @call); print "$!"'`)).toBe(
      'Function not implemented',
    );
  });

  it('goes behind the server where both want the processor, and cannot change that', async () => {
    const niceness = getPriority() + 10;
    expect(await said('nice; nice -n -5 nice')).toMatch(new RegExp(`^${niceness}\n(.*\n)?${niceness}\n$`));
  });

  it('shows no key of the session of the server', async () => {
    expect(await said('cat /proc/keys; echo over')).toMatch(/^(cat: .*No such file.*\n)?over\n$/);
  });

  it('runs git, and no program of the repository, though the PATH of the server begins with where one is', () => {
    const fires = '#!/bin/sh\necho fired > fired\n';
    for (const name of ['setsid', 'unshare', 'setpriv', 'bwrap', 'prlimit', 'git']) {
      writeFileSync(join(paths.workspace, name), fires, { mode: 0o755 });
    }
    const sandbox = new Bubblewrap(confined(), { operationId: 'op', repoId: 'app', paths, marker });
    const { binary, hasBegun } = sandbox.git();
    const [file, script] = binary;
    expect(hasBegun()).toBe(false);
    const options = { cwd: paths.workspace, env: { PATH: ':/usr/bin:/bin' }, encoding: 'utf8' } as const;
    expect(execFileSync(file, [script, '--version'], options)).toMatch(/^git version/);
    expect(hasBegun()).toBe(true);
    expect(existsSync(join(paths.workspace, 'fired'))).toBe(false);
  });

  it('shows the manifest, which nobody can change in there', async () => {
    const path = join(paths.workspace, '.mcp-isolation.json');
    writeFileSync(path, 'readable', { mode: 0o444 });
    execFileSync('chown', [String(user ?? process.getuid?.()), path]);
    expect(await said('cat .mcp-isolation.json; chmod 666 .mcp-isolation.json; echo x > .mcp-isolation.json')).toMatch(
      /^readable.*(read-only|not permitted)/is,
    );
  });
});
