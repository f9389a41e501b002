import { setTimeout as delay } from 'node:timers/promises';
import { Failure } from '../../../contracts/failure.js';
import { listenersSeenBy } from '../ports/listeners.js';
import type { Handler } from '../operation-thread.js';
import { terminateTree } from '../../../machine/end-tree.js';
import { searchOf } from '../../../machine/process-tree.js';

const POLL_MS = 25;
/** Sockets close with their processes; longer than this it is somebody else's. */
const PORT_PATIENCE_MS = 1_000;

/** Ends the app's whole tree; answers when every member is dead and its ports are free. Stopping what has ended is fine. */
export const stop: Handler<'stop'> = async ({ tree, graceMs, ports }, thread) => {
  const startedAt = Date.now();
  thread.progress('stopping', null, `SIGTERM, and SIGKILL after ${graceMs} ms`);
  const { forced, survivors } = await terminateTree(searchOf(tree), graceMs);
  if (survivors.length > 0) {
    const pids = survivors.map(({ pid }) => pid);
    throw new Failure('INTERNAL_ERROR', `Not even SIGKILL has ended ${pids.join(', ')}: stop`, {
      suggestion: 'They belong to another user or hang in the kernel: end them on the machine, then stop again.',
      context: { pids },
    });
  }
  const deadline = Date.now() + PORT_PATIENCE_MS;
  const taken = () => listenersSeenBy('self').some(({ port }) => ports.includes(port));
  while (ports.length > 0 && taken() && Date.now() < deadline) await delay(POLL_MS);
  return { forced, durationMs: Date.now() - startedAt };
};
