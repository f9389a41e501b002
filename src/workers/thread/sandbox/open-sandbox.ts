import type { SandboxPlan } from '../../../contracts/sandbox-plan.js';
import { Bubblewrap } from './bubblewrap.js';
import { NoSandbox } from './none.js';
import type { Sandbox, SandboxContext } from './sandbox.js';

/** The driver that was decided on. It never falls back to another one by itself. */
export function openSandbox(plan: SandboxPlan, context: SandboxContext): Sandbox {
  return plan.isolation.driver === 'bubblewrap' ? new Bubblewrap(plan, context) : new NoSandbox(context.marker);
}
