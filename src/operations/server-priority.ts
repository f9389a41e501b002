import { writeFileSync } from 'node:fs';

/** As much as there is: a repository may start as many sessions as processes. */
const NICENESS = -20;

/**
 * Where nobody has divided the processor into cgroups, many kernels give each session the same share of it, however nice its
 * processes are: a repository that starts a hundred sessions would leave the server a hundredth. Only root may ask for more.
 */
export function raiseServerPriority(): void {
  try {
    writeFileSync('/proc/self/autogroup', String(NICENESS));
  } catch {
    // The server is not root, or the kernel makes no such groups.
  }
}
