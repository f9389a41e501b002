import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { execFileSync } from 'node:child_process';
import { eventually } from '../../../../test/support/eventually.js';
import { plansOfThisMachine } from '../../../../test/support/sandbox-plans.js';
import { openSandbox } from './open-sandbox.js';
import { CpuGroup } from './cpu-group.js';

/** Where this machine has its cgroup v2, if we may make groups in it. */
function unifiedCgroup(): string | undefined {
  const mount = /^\d+ \d+ \S+ \/ (\S+) .* - cgroup2 /m.exec(readFileSync('/proc/self/mountinfo', 'utf8'))?.[1];
  return mount !== undefined && process.geteuid?.() === 0 ? mount : undefined;
}

const cgroup = unifiedCgroup();
if (cgroup === undefined) console.warn('No cgroup v2 of our own: that repositories are put into one is not tested');

(cgroup === undefined ? describe.skip : describe).each(plansOfThisMachine())(
  'a share of the processor (%s)',
  (_, plan) => {
    let parent: string;
    let root: string;
    beforeEach(() => {
      parent = join(String(cgroup), `docking-station-spec-${process.pid}`);
      mkdirSync(parent);
      root = mkdtempSync(join(tmpdir(), 'docking-cpu-'));
      for (const name of ['workspace', 'homes', 'staging']) mkdirSync(join(root, name));
    });
    afterEach(() => {
      rmSync(root, { recursive: true });
      rmdirSync(parent);
    });

    it('is that of the repository for whatever it starts, and is given back', async () => {
      const paths = {
        workspace: join(root, 'workspace'),
        home: join(root, 'homes', 'r_1'),
        staging: join(root, 'staging', 'r_1'),
        log: join(root, 'log'),
      };
      const context = { operationId: 'op_1', repoId: 'app', paths, marker: `cpu-spec:${process.pid}` };
      const sandbox = openSandbox({ ...plan, machine: { ...plan.machine, cpuGroup: parent } }, context);
      const child = await sandbox.spawn({
        purpose: 'git',
        file: '/bin/sh',
        args: ['-c', 'read line; cat /proc/self/cgroup'],
        cwd: '/',
        env: { PATH: process.env.PATH ?? '' },
        stdin: 'open',
      });
      const members = () => readFileSync(join(parent, 'r_1', 'cgroup.procs'), 'utf8').split('\n');
      await eventually('it is in the group', () => members().includes(String(child.identity.pid)));
      process.kill(child.root.pid, 'SIGKILL');
      await child.exited;
      void text(child.stdout);
      await eventually('the group is empty', () => members().join('') === '');
      await sandbox.dispose();
      expect(readdirSync(parent).filter((name) => name === 'r_1')).toEqual([]);
    });

    it('is taken by a shell with the command that it is given', () => {
      const group = new CpuGroup(join(parent, "it's r_2"));
      const script = `${group.shellCommand}cat /proc/self/cgroup`;
      expect(execFileSync('/bin/sh', ['-c', script], { encoding: 'utf8' })).toContain(`it's r_2`);
      group.remove();
      expect(existsSync(join(parent, "it's r_2"))).toBe(false);
    });
  },
);
