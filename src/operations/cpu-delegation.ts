import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';

/** The server's own share beside that of all repositories together, which have 100. */
const SERVER_WEIGHT = 400;

export interface CpuDelegation {
  /** The cgroup in which each repository has one of its own. */
  group?: string;
  /** Why there is none. */
  reason?: string;
}

/**
 * Divides the processor, where a cgroup v2 is delegated to the server (systemd: `Delegate=cpu`; a container of its own):
 * the server in one group, repositories in another, where each has an equal share. What has started the server moves with
 * it, and nothing else: where there are others in the group, it is not the server's to divide.
 */
export function delegateCpu(): CpuDelegation {
  try {
    const own = ownGroup();
    if (own === undefined) return { reason: 'there is no cgroup v2' };
    // Root may write everywhere, which says nothing.
    if (process.geteuid?.() === 0 && !own.isTop)
      return { reason: 'the server is root, and in a cgroup of the machine' };
    if (!read(own.folder, 'cgroup.controllers').includes('cpu'))
      return { reason: 'the cgroup of the server has no cpu controller' };
    const [server, repositories] = [join(own.folder, 'station'), join(own.folder, 'repositories')];
    for (const group of [server, repositories]) mkdirSync(group, { recursive: true });
    // A group that divides something among its children has no processes of its own.
    const members = new Set(read(own.folder, 'cgroup.procs'));
    for (const pid of lineage().filter((one) => members.has(one))) writeFileSync(join(server, 'cgroup.procs'), pid);
    writeFileSync(join(own.folder, 'cgroup.subtree_control'), '+cpu');
    writeFileSync(join(repositories, 'cgroup.subtree_control'), '+cpu');
    writeFileSync(join(server, 'cpu.weight'), String(SERVER_WEIGHT));
    return { group: repositories };
  } catch (error) {
    const { code = 'it failed' } = error as NodeJS.ErrnoException;
    return { reason: `the cgroup of the server is not delegated to it (${code})` };
  }
}

/** One that is in a `station` group already, as after a restart in place, has the one above. */
function ownGroup(): { folder: string; isTop: boolean } | undefined {
  const path = /^0::(.*)$/m.exec(readFileSync('/proc/self/cgroup', 'utf8'))?.[1];
  const mount = /^\d+ \d+ \S+ (\S+) (\S+) .* - cgroup2 /m.exec(readFileSync('/proc/self/mountinfo', 'utf8'));
  if (path === undefined || !mount) return undefined;
  const [, root = '/', place = ''] = mount;
  const within = relative(root, path.replace(/\/station$/, '') || '/');
  return { folder: join(place, within), isTop: within === '' };
}

/** The server, and what has started it. */
function lineage(): string[] {
  const pids: string[] = [];
  for (let pid = String(process.pid); pid !== '0'; pid = parentOf(pid)) pids.push(pid);
  return pids;
}

const parentOf = (pid: string): string =>
  /^PPid:\t(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '0';

const read = (group: string, file: string): string[] =>
  readFileSync(join(group, file), 'utf8').split(/\s+/).filter(Boolean);
