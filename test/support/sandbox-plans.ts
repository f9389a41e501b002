import type { SandboxPlan } from '../../src/contracts/sandbox-plan.js';

/** Of a machine without a sandbox, and without limits. */
export const UNCONFINED: SandboxPlan = {
  isolation: { driver: 'none' },
  network: { mode: 'shared' },
  limits: { memoryMb: null, processes: null, diskMb: null, enforcedBy: 'none' },
  machine: { readable: [], hidden: [], reachable: [] },
};
