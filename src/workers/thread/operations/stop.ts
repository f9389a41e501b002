import { createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Handler } from '../operation-thread.js';
import { findTree, terminateTree } from '../process-tree.js';

const PORT_POLL_MS = 20;
/** The kernel frees the port of a dead process at once; longer than this somebody else has taken it. */
const PORT_WAIT_MS = 2_000;

/** Ends an app's whole tree, and answers when every process is dead and its ports are free. */
export const stop: Handler<'stop'> = async ({ tree, graceMs, host, ports }, thread) => {
  const startedAt = Date.now();
  thread.progress('stopping', null, `SIGTERM, after ${graceMs} ms SIGKILL`);
  const { forced } = await terminateTree(() => findTree(tree), graceMs);
  const deadline = Date.now() + PORT_WAIT_MS;
  for (const port of ports) {
    while (!(await isFree(host, port)) && Date.now() < deadline) await delay(PORT_POLL_MS);
  }
  return { forced, durationMs: Date.now() - startedAt };
};

function isFree(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen({ host, port, exclusive: true }, () => probe.close(() => resolve(true)));
  });
}
