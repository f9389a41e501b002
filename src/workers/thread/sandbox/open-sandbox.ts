import { basename, join } from 'node:path';
import type { SandboxPlan } from '../../../contracts/sandbox-plan.js';
import { Bubblewrap } from './bubblewrap.js';
import { CpuGroup } from './cpu-group.js';
import { NoSandbox } from './none.js';
import type { Sandbox, SandboxContext } from './sandbox.js';

/** The driver that was decided on. It never falls back to another one by itself. */
export function openSandbox(plan: SandboxPlan, context: SandboxContext): Sandbox {
  const { cpuGroup } = plan.machine;
  const cpu = cpuGroup === undefined ? undefined : new CpuGroup(join(cpuGroup, basename(context.paths.home)));
  return plan.isolation.driver === 'bubblewrap'
    ? new Bubblewrap(plan, context, cpu)
    : new NoSandbox(context.marker, cpu);
}
