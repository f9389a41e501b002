import { existsSync, readdirSync, readFileSync, readlinkSync, statfsSync, statSync, type Stats } from 'node:fs';
import type { Failure } from '../../contracts/failure.js';
import { brokenLimit } from './broken-limit.js';
import type { LiveProcess } from '../../machine/live-processes.js';
import { readProc } from '../../machine/read-proc.js';
import type { TreeUsage, Watched } from './tree-usage.js';
import { countFiles, diskBytes } from '../../machine/disk-usage.js';

const MIB = 1024 * 1024;
/** What `stat` counts in. */
const BLOCK_BYTES = 512;
const LOOK_MS = 3_000;
/** Of the time that measuring has taken: a large workspace is measured less often. */
const REST = 20;
/** A machine that others keep busy measures slowly: whoever does that must not gain time to write. */
const MAX_REST_MS = 15_000;
/** Of the limit: when the disk has lost that much, it may have been this tree. */
const STEP = 1 / 16;
/**
 * What a file takes at least, empty or not: a disk has only so many of them. That of a file system with the usual block;
 * installed dependencies have 10 KiB a file.
 */
const FILE_BYTES = 4_096;

/** Measures only when something may have been written since, and rests in proportion to what it costs. */
export class DiskWatch {
  /** Set when the limit is found broken. */
  broken: Failure | undefined;
  private readonly finding = new AbortController();
  private isMeasuring = false;
  private next = 0;
  private written = '';

  constructor(private readonly watched: Watched) {}

  /** Aborted when the limit is found broken. */
  get found(): AbortSignal {
    return this.finding.signal;
  }

  /** Does nothing while the last look takes its time, or rests from it. */
  async look({ writing }: Pick<TreeUsage, 'writing'>, signal: AbortSignal): Promise<void> {
    const begun = Date.now();
    if (this.isMeasuring || begun < this.next) return;
    const written = `${writing} ${this.freeSteps()}`;
    if (written === this.written) return;
    this.isMeasuring = true;
    this.broken = await measureDisk(this.watched, signal);
    this.isMeasuring = false;
    this.next = Date.now() + restMs(Date.now() - begun);
    this.written = written;
    if (this.broken) this.finding.abort();
  }

  /** What is reserved and never written (fallocate), and files without content, count for no process. */
  private freeSteps(): string {
    const { limits, folders } = this.watched;
    const { bytes, files } = freeSpace(folders);
    const step = (limits.diskMb ?? Infinity) * MIB * STEP;
    return `${Math.floor(bytes / step)} ${Math.floor((files * FILE_BYTES) / step)}`;
  }
}

export const restMs = (tookMs: number): number => Math.min(Math.max(LOOK_MS, tookMs * REST), MAX_REST_MS);

/** What the file system has left that the folders are on. Some have no limit of files, and say 0. */
export function freeSpace(folders: string[]): { bytes: number; files: number } {
  const folder = folders.find((one) => existsSync(one));
  if (folder === undefined) return { bytes: 0, files: 0 };
  const { bavail, bsize, ffree } = statfsSync(folder);
  return { bytes: bavail * bsize, files: ffree };
}

/** DISK_QUOTA, or undefined. At the end of the work, too: much can be written between two looks. */
export async function measureDisk(
  { limits, folders, filesFreeBefore, members }: Watched,
  signal?: AbortSignal,
): Promise<Failure | undefined> {
  if (limits.diskMb === null) return undefined;
  const inFolders = await diskBytes(folders, signal).catch(() => 0); // it is being removed
  const usedMb = Math.ceil((inFolders + deletedBytes(members())) / MIB);
  if (usedMb > limits.diskMb) return brokenLimit('DISK_QUOTA', usedMb, limits.diskMb);
  const maxFiles = (limits.diskMb * MIB) / FILE_BYTES;
  if (filesFreeBefore - freeSpace(folders).files < maxFiles * STEP) return undefined; // not worth another walk
  const files = await countFiles(folders, signal).catch(() => 0);
  return files > maxFiles ? brokenLimit('DISK_QUOTA', files, maxFiles, (count) => `${count} files`) : undefined;
}

/**
 * Files that are in no folder any more, but open or mapped: they take their place until nobody has them. Only those of the
 * processes' own user: libraries of the system are replaced under programs that run.
 */
function deletedBytes(members: LiveProcess[]): number {
  const found = new Map<string, number>();
  for (const { pid } of members) {
    const user = Number(/^Uid:\s+(\d+)/m.exec(readProc(`/proc/${pid}/status`) ?? '')?.[1]);
    for (const path of [...deletedOpen(pid), ...deletedMapped(pid)]) {
      const stats = statOf(path);
      if (stats?.uid === user) found.set(`${stats.dev}:${stats.ino}`, stats.blocks * BLOCK_BYTES);
    }
  }
  return [...found.values()].reduce((sum, one) => sum + one, 0);
}

function statOf(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined; // closed meanwhile; or mapped, which only a server of root can look into
  }
}

function deletedOpen(pid: number): string[] {
  try {
    const paths = readdirSync(`/proc/${pid}/fd`).map((name) => `/proc/${pid}/fd/${name}`);
    return [...paths, `/proc/${pid}/exe`].filter((path) => isDeleted(path));
  } catch {
    return []; // it has ended meanwhile
  }
}

function isDeleted(path: string): boolean {
  try {
    return readlinkSync(path).endsWith(' (deleted)');
  } catch {
    return false; // closed meanwhile
  }
}

/** A range, its rights, the offset, device and inode; what is shared memory counts as that. */
const MAPPED = /^([0-9a-f]+-[0-9a-f]+) \S+ \S+ \S+ \d+ +(?! |\/(?:memfd:|dev\/zero|dev\/shm\/|SYSV)).* \(deleted\)$/gm;

function deletedMapped(pid: number): string[] {
  try {
    const maps = readFileSync(`/proc/${pid}/maps`, 'latin1');
    return [...maps.matchAll(MAPPED)].map(([, range]) => `/proc/${pid}/map_files/${range}`);
  } catch {
    return [];
  }
}
