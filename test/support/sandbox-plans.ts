import { spawnSync } from 'node:child_process';
import type { SandboxPlan } from '../../src/contracts/sandbox-plan.js';

/** Of a machine without a sandbox, and without limits. */
export const UNCONFINED: SandboxPlan = {
  isolation: { driver: 'none' },
  network: { mode: 'shared' },
  limits: { memoryMb: null, processes: null, diskMb: null, cpuWeight: null, enforcedBy: 'none' },
  machine: { readable: [], hidden: [], reachable: [] },
};

/** Of one with a sandbox. */
const CONFINED: SandboxPlan = {
  ...UNCONFINED,
  isolation: { driver: 'bubblewrap' },
  machine: {
    ...(process.getuid?.() === 0 && { user: 70_069 }),
    readable: [process.execPath],
    hidden: [],
    reachable: [],
  },
};

/** Every driver that works on this machine, with its name. */
export function plansOfThisMachine(): [string, SandboxPlan][] {
  const { status } = spawnSync('bwrap', ['--unshare-user', '--unshare-pid', '--ro-bind', '/', '/', 'true']);
  return [['none', UNCONFINED], ...(status === 0 ? [['bubblewrap', CONFINED] satisfies [string, SandboxPlan]] : [])];
}
