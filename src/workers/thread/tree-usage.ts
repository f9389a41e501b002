import type { LimitsReport } from '../../contracts/shapes.js';
import { readStat, type LiveProcess } from '../../machine/live-processes.js';
import { readProc } from '../../machine/read-proc.js';

const MIB = 1024 * 1024;
const PAGE_BYTES = 4_096;

export interface Watched {
  limits: LimitsReport;
  /** Every process of the operation. */
  members(): LiveProcess[];
  /** What its disk use is the sum of. */
  folders: string[];
  /** How many files the file system had room for at the start. */
  filesFreeBefore: number;
}

/** What a process tree uses at one moment. */
export interface TreeUsage {
  /** What the processes have for themselves, page tables included: programs and libraries are there once, however many run them. */
  memoryMb: number;
  /** With what they share, counted for each of them: no less than what they use. */
  residentMb: number;
  /** Processes and threads: the kernel counts them alike. */
  processes: number;
  /** Changes when they, or children of theirs that have ended, have written something. */
  writing: string;
}

export function usageOf(members: LiveProcess[]): TreeUsage {
  let [own, all, processes] = [0, 0, 0];
  const writing: string[] = [];
  for (const { pid, startTime } of members) {
    const [, resident = 0, shared = 0] = (readProc(`/proc/${pid}/statm`) ?? '').split(' ').map(Number);
    const tables = pageTablesKb(pid) / (PAGE_BYTES / 1024);
    own += Math.max(0, resident - shared) + tables;
    all += resident + tables;
    processes += readStat(pid)?.threads ?? 1;
    writing.push(`${pid}:${startTime}:${/^write_bytes: (\d+)/m.exec(readProc(`/proc/${pid}/io`) ?? '')?.[1]}`);
  }
  return { memoryMb: inMib(own * PAGE_BYTES), residentMb: inMib(all * PAGE_BYTES), processes, writing: writing.join() };
}

/** With what they share, each its part of it: memory that is mapped as shared is used up all the same. */
export function sharedMemoryMb(members: LiveProcess[]): number {
  const kilobytes = members.map(({ pid }) => {
    const [, shared = 0] = /^Pss:\s+(\d+) kB/m.exec(readProc(`/proc/${pid}/smaps_rollup`) ?? '') ?? [];
    return Number(shared) + pageTablesKb(pid);
  });
  return inMib(kilobytes.reduce((sum, one) => sum + one, 0) * 1024);
}

/** They grow with what a process maps and looks at, also where that takes no memory itself. */
const pageTablesKb = (pid: number): number =>
  Number(/^VmPTE:\s+(\d+) kB/m.exec(readProc(`/proc/${pid}/status`) ?? '')?.[1] ?? 0);

const inMib = (bytes: number): number => Math.ceil(bytes / MIB);
