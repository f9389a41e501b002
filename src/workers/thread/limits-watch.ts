import { setTimeout as delay } from 'node:timers/promises';
import type { Failure } from '../../contracts/failure.js';
import type { LimitsReport } from '../../contracts/shapes.js';
import { brokenLimit } from './broken-limit.js';
import { DiskWatch } from './disk-watch.js';
import type { LiveProcess } from '../../machine/live-processes.js';
import { sharedMemoryMb, usageOf, type TreeUsage, type Watched } from './tree-usage.js';

const LOOK_MS = 1_000;
/** When a limit is near, so that what is beyond it stays little. */
const CLOSE_LOOK_MS = 200;
const NEAR = 0.5;

/**
 * Measures what an operation or an app uses until `signal` is aborted. Resolves with the Failure that says which limit is
 * broken: OUT_OF_MEMORY, TOO_MANY_PROCESSES, DISK_QUOTA; with undefined when there was none. Never rejects. The disk takes
 * its time, and nobody has more of the others meanwhile.
 */
export async function watchLimits(watched: Watched, signal: AbortSignal): Promise<Failure | undefined> {
  const { limits } = watched;
  const disk = new DiskWatch(watched);
  const over = AbortSignal.any([signal, disk.found]);
  while (!over.aborted) {
    const members = watched.members();
    const usage = usageOf(members);
    const broken = tooManyProcesses(usage, limits) ?? outOfMemory(usage, members, limits);
    if (broken) return broken;
    void disk.look(usage, signal);
    await delay(isNear(usage, limits) ? CLOSE_LOOK_MS : LOOK_MS, undefined, { signal: over }).catch(() => undefined);
  }
  return disk.broken;
}

/** The kernel lets no sandbox come further than to its limit. */
function tooManyProcesses({ processes: used }: TreeUsage, { processes: limit }: LimitsReport): Failure | undefined {
  return limit !== null && used >= limit ? brokenLimit('TOO_MANY_PROCESSES', used, limit) : undefined;
}

/** What programs say that are given no further process or thread. */
const NO_PROCESS = /cannot fork|spawn \S+ EAGAIN|(?:fork|clone|thread)\b.*resource temporarily unavailable/i;

/**
 * TOO_MANY_PROCESSES where the last lines tell that the kernel has stopped it: a bomb may burst between two looks, and leave
 * fewer than it had.
 */
export function toldProcessLimit(lines: string[], { processes: limit }: LimitsReport): Failure | undefined {
  const isTold = limit !== null && lines.some((line) => NO_PROCESS.test(line));
  return isTold ? brokenLimit('TOO_MANY_PROCESSES', limit, limit) : undefined;
}

/** What several share is looked at only where it matters: it takes a walk through all of their pages. */
function outOfMemory(usage: TreeUsage, members: LiveProcess[], { memoryMb: limit }: LimitsReport): Failure | undefined {
  if (limit === null || usage.residentMb <= limit) return undefined;
  const used = usage.memoryMb > limit ? usage.memoryMb : sharedMemoryMb(members);
  return used > limit ? brokenLimit('OUT_OF_MEMORY', used, limit) : undefined;
}

const isNear = ({ memoryMb, processes }: TreeUsage, limits: LimitsReport): boolean =>
  memoryMb > (limits.memoryMb ?? Infinity) * NEAR || processes > (limits.processes ?? Infinity) * NEAR;
