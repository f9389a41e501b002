import { setTimeout as delay } from 'node:timers/promises';
import { Failure } from '../../contracts/failure.js';
import type { LimitsReport } from '../../contracts/shapes.js';
import type { LiveProcess } from './process-tree.js';
import { readProc } from './read-proc.js';
import { diskBytes } from './workspace/disk-usage.js';

const MIB = 1024 * 1024;
const PAGE_BYTES = 4096;
const LOOK_MS = 1_000;
/** When a limit is near, so that what is beyond it stays little. */
const CLOSE_LOOK_MS = 200;
const NEAR = 0.5;
const DISK_LOOK_MS = 3_000;
/** Of the time that measuring the disk has taken: a large workspace is measured less often. */
const DISK_REST = 20;

export interface Watched {
  limits: LimitsReport;
  /** Every process of the operation. */
  members(): LiveProcess[];
  /** What its disk use is the sum of. */
  folders: string[];
}

interface Usage {
  memoryMb: number;
  /** Processes and threads: the kernel counts them alike. */
  processes: number;
  /** Changes when anything may have been written to the disk. */
  writing: string;
}

/**
 * Measures what an operation or an app uses until `signal` is aborted. Resolves with the Failure that says which limit is
 * broken: OUT_OF_MEMORY, TOO_MANY_PROCESSES, DISK_QUOTA; with undefined when there was none. Never rejects.
 */
export async function watchLimits(watched: Watched, signal: AbortSignal): Promise<Failure | undefined> {
  const disk = new DiskWatch(watched);
  while (!signal.aborted) {
    const usage = usageOf(watched.members());
    const broken = brokenBy(usage, watched.limits) ?? (await disk.look(usage.writing, signal));
    if (broken || signal.aborted) return broken;
    await delay(isNear(usage, watched.limits) ? CLOSE_LOOK_MS : LOOK_MS, undefined, { signal }).catch(() => undefined);
  }
  return undefined;
}

/** Measures only when something may have been written since, and rests in proportion to what it costs. */
class DiskWatch {
  private next = 0;
  private written = '';

  constructor(private readonly watched: Watched) {}

  async look(writing: string, signal: AbortSignal): Promise<Failure | undefined> {
    const { limits, folders } = this.watched;
    const begun = Date.now();
    if (limits.diskMb === null || begun < this.next || writing === this.written) return undefined;
    const usedMb = Math.ceil((await diskBytes(folders, signal).catch(() => 0)) / MIB); // it is being removed
    this.next = Date.now() + Math.max(DISK_LOOK_MS, (Date.now() - begun) * DISK_REST);
    this.written = writing;
    if (usedMb <= limits.diskMb) return undefined;
    return broken(
      'DISK_QUOTA',
      `It uses ${usedMb} MiB of disk, and ${limits.diskMb} MiB are its limit`,
      usedMb,
      limits.diskMb,
    );
  }
}

function usageOf(members: LiveProcess[]): Usage {
  let pages = 0;
  let processes = 0;
  const writing: string[] = [];
  for (const { pid, startTime } of members) {
    const [, resident = 0, shared = 0] = (readProc(`/proc/${pid}/statm`) ?? '').split(' ').map(Number);
    pages += Math.max(0, resident - shared); // programs and libraries are there once, however many run them
    const stat = readProc(`/proc/${pid}/stat`) ?? '';
    processes += Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[17] ?? 1);
    writing.push(`${pid}:${startTime}:${/^write_bytes: (\d+)/m.exec(readProc(`/proc/${pid}/io`) ?? '')?.[1]}`);
  }
  return { memoryMb: Math.ceil((pages * PAGE_BYTES) / MIB), processes, writing: writing.join() };
}

function brokenBy({ memoryMb, processes }: Usage, limits: LimitsReport): Failure | undefined {
  if (limits.memoryMb !== null && memoryMb > limits.memoryMb) {
    const message = `It uses ${memoryMb} MiB of memory, and ${limits.memoryMb} MiB are its limit`;
    return broken('OUT_OF_MEMORY', message, memoryMb, limits.memoryMb);
  }
  // The kernel lets no sandbox come further than to its limit.
  if (limits.processes !== null && processes >= limits.processes) {
    const message = `It has ${processes} processes and threads, and ${limits.processes} are its limit`;
    return broken('TOO_MANY_PROCESSES', message, processes, limits.processes);
  }
  return undefined;
}

const isNear = ({ memoryMb, processes }: Usage, limits: LimitsReport): boolean =>
  memoryMb > (limits.memoryMb ?? Infinity) * NEAR || processes > (limits.processes ?? Infinity) * NEAR;

const broken = (
  code: 'OUT_OF_MEMORY' | 'TOO_MANY_PROCESSES' | 'DISK_QUOTA',
  message: string,
  used: number,
  limit: number,
): Failure => new Failure(code, message, { context: { used, limit } });
