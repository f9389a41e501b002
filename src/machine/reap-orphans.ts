import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises';
import { isSameProcess, type ProcessIdentity } from '../contracts/process-tree.js';
import { childrenOfThread, readStat } from './live-processes.js';

/** Not to wait for one that lives; of waitpid(2), the same on every architecture. */
const WNOHANG = 1;
/** In this time the main thread hears of the end of its own children, and waits for them. */
const OWN_CHILDREN_MS = 50;

type WaitPid = (pid: number, status: null, options: number) => number;

/**
 * Has the kernel forget processes that have ended after the thread that had started them: Node.js waits for a process in
 * that thread only, and without this they would stay as zombies until the server ends. For the main thread: it is the
 * parent of what a thread leaves behind (find_new_reaper in the kernel's exit.c).
 */
export async function reapOrphans(): Promise<void> {
  const before = zombies();
  if (before.length === 0) return;
  await delay(OWN_CHILDREN_MS);
  await nextTurn(); // also where it was busy for all of that time
  const waitpid = await loadWaitpid();
  // What ended in the meantime may be a child of the main thread, and its end not heard of yet.
  const orphans = zombies().filter((one) => before.some((other) => isSameProcess(one, other)));
  for (const { pid } of orphans) waitpid?.(pid, null, WNOHANG);
}

/** Children of the main thread only: those of other threads that live are in lists of their own. */
function zombies(): ProcessIdentity[] {
  return childrenOfThread(process.pid, process.pid).flatMap((pid) => {
    const stat = readStat(pid);
    return stat?.state === 'Z' ? [{ pid, startTime: stat.startTime }] : [];
  });
}

/** Node.js has no way to wait for a process that another thread has started. Undefined where the library does not run. */
async function loadWaitpid(): Promise<WaitPid | undefined> {
  try {
    const { default: koffi } = await import('koffi');
    return koffi.load(null).func('int waitpid(int pid, int *status, int options)') as WaitPid;
  } catch {
    return undefined;
  }
}
