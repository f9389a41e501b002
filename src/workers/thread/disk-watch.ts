import { existsSync, readdirSync, readlinkSync, statfsSync, statSync } from 'node:fs';
import type { Failure } from '../../contracts/failure.js';
import { brokenLimit } from './broken-limit.js';
import type { LiveProcess } from './process-tree.js';
import type { TreeUsage, Watched } from './tree-usage.js';
import { diskBytes } from './workspace/disk-usage.js';

const MIB = 1024 * 1024;
/** What `stat` counts in. */
const BLOCK_BYTES = 512;
const LOOK_MS = 3_000;
/** Of the time that measuring has taken: a large workspace is measured less often. */
const REST = 20;
/** Of the limit: when the disk has lost that much, it may have been this tree. */
const STEP = 1 / 16;

/** Measures only when something may have been written since, and rests in proportion to what it costs. */
export class DiskWatch {
  private next = 0;
  private written = '';

  constructor(private readonly watched: Watched) {}

  async look({ writing }: Pick<TreeUsage, 'writing'>, signal: AbortSignal): Promise<Failure | undefined> {
    const begun = Date.now();
    if (begun < this.next) return undefined;
    const written = `${writing} ${this.freeSteps()}`;
    if (written === this.written) return undefined;
    const broken = await measureDisk(this.watched, signal);
    this.next = Date.now() + Math.max(LOOK_MS, (Date.now() - begun) * REST);
    this.written = written;
    return broken;
  }

  /** What is reserved and never written (fallocate) counts for no process, but is gone from the disk. */
  private freeSteps(): number {
    const { limits, folders } = this.watched;
    const folder = folders.find((one) => existsSync(one));
    if (folder === undefined || limits.diskMb === null) return 0;
    const { bavail, bsize } = statfsSync(folder);
    return Math.floor((bavail * bsize) / (limits.diskMb * MIB * STEP));
  }
}

/** DISK_QUOTA, or undefined. At the end of the work, too: much can be written between two looks. */
export async function measureDisk(
  { limits, folders, members }: Watched,
  signal?: AbortSignal,
): Promise<Failure | undefined> {
  if (limits.diskMb === null) return undefined;
  const inFolders = await diskBytes(folders, signal).catch(() => 0); // it is being removed
  const usedMb = Math.ceil((inFolders + deletedBytes(members())) / MIB);
  return usedMb > limits.diskMb ? brokenLimit('DISK_QUOTA', usedMb, limits.diskMb) : undefined;
}

/** Files that are in no folder any more, but open: they take their place until they are closed. */
function deletedBytes(members: LiveProcess[]): number {
  const found = new Map<string, number>();
  for (const path of members.flatMap(({ pid }) => descriptorsOf(pid))) {
    try {
      if (!readlinkSync(path).endsWith(' (deleted)')) continue;
      const { dev, ino, blocks } = statSync(path);
      found.set(`${dev}:${ino}`, blocks * BLOCK_BYTES);
    } catch {
      // closed meanwhile
    }
  }
  return [...found.values()].reduce((sum, one) => sum + one, 0);
}

function descriptorsOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).map((name) => `/proc/${pid}/fd/${name}`);
  } catch {
    return []; // it has ended meanwhile
  }
}
