import { chownSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { LimitsReport } from '../src/contracts/shapes.js';
import { eventually } from './support/eventually.js';
import { packageJson } from './support/fixtures.js';
import { GitServer } from './support/git-server.js';
import { asUser, isRoot, ORDINARY_USER } from './support/server-users.js';
import { Station } from './support/station.js';

const MEASURED_MS = 2_000;
/** Under a kernel that is a program a station takes a minute to start. */
const SLOW_MS = 240_000;

/** Where this machine has its cgroup v2, if that divides the processor and we may have it do so. */
function cpuCgroup(): string | undefined {
  const mount = /^\d+ \d+ \S+ \/ (\S+) .* - cgroup2 /m.exec(readFileSync('/proc/self/mountinfo', 'utf8'))?.[1];
  if (mount === undefined || !isRoot) return undefined;
  return readFileSync(join(mount, 'cgroup.controllers'), 'utf8').includes('cpu') ? mount : undefined;
}

const top = cpuCgroup();
if (top === undefined) console.warn('No cgroup v2 that divides the processor: shares of it are not tested');

(top === undefined ? describe.skip : describe)('Where a cgroup v2 is delegated to the server', () => {
  const group = join(String(top), `docking-station-test-${process.pid}`);
  let git: GitServer;
  let station: Station;

  beforeAll(async () => {
    writeFileSync(join(String(top), 'cgroup.subtree_control'), '+cpu');
    mkdirSync(group);
    const { uid } = ORDINARY_USER;
    for (const file of ['', 'cgroup.procs', 'cgroup.subtree_control']) chownSync(join(group, file), uid, uid);
    git = await GitServer.start();
    const joining = ['/bin/sh', '-c', 'echo $$ >"$0/cgroup.procs" && exec "$@"', group];
    const launcher = [...joining, ...asUser(ORDINARY_USER)];
    station = await Station.start({ allowedHosts: [git.host], launcher, uid });
  }, SLOW_MS);
  afterAll(async () => {
    await station?.close();
    await git?.close();
    await eventually('its cgroups can be removed', () => removed(group), 60_000);
  }, SLOW_MS);

  /** With an app of so many processes that do nothing but compute, each in a session of its own: some kernels divide by these. */
  async function runs(name: string, processes: number): Promise<{ uid: string; limits: LimitsReport }> {
    const computes = Array.from({ length: processes }, () => 'setsid sh computes.sh &').join(' ');
    const files = { 'package.json': packageJson({ start: `${computes} wait` }), 'computes.sh': 'while :; do :; done' };
    const { url } = await git.createRepository(`cpu/${name}`, { files });
    const { repoId, uid } = (await station.clone(url)).body.result;
    expect((await station.run(repoId, { ready: { log: 'never' }, readyTimeoutMs: 1_000 })).status).toBe(200);
    return { uid, limits: (await station.entry(repoId)).body.result.limits };
  }
  const usedBy = (uid: string): number =>
    Number(/^usage_usec (\d+)$/m.exec(readFileSync(join(group, 'repositories', uid, 'cpu.stat'), 'utf8'))?.[1]);
  const weightOf = (path: string) => readFileSync(join(group, path, 'cpu.weight'), 'utf8').trim();

  it(
    'each repository has an equal share of the processor, however many processes it starts, and the server a larger one',
    async () => {
      const [few, many] = [await runs('few', 1), await runs('many', 6)];
      expect(few.limits).toMatchObject({ cpuWeight: 100 });
      const weights = ['station', 'repositories', `repositories/${few.uid}`].map(weightOf);
      expect(weights).toEqual(['400', '100', '100']);
      const before = [usedBy(few.uid), usedBy(many.uid)] as const;
      await delay(MEASURED_MS);
      const used = [usedBy(few.uid) - before[0], usedBy(many.uid) - before[1]] as const;
      expect(used[0] / (used[0] + used[1])).toBeGreaterThan(0.35); // 0.14 where processes alone count
    },
    SLOW_MS,
  );
});

function removed(folder: string): boolean {
  for (const child of readdirSync(folder, { withFileTypes: true })) {
    if (child.isDirectory() && !removed(join(folder, child.name))) return false;
  }
  try {
    rmdirSync(folder);
    return true;
  } catch {
    return false; // somebody is still in it
  }
}
