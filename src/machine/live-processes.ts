import { readdirSync, readFileSync } from 'node:fs';
import { isSameProcess, type ProcessIdentity } from '../contracts/process-tree.js';
import { readProc } from './read-proc.js';

/** A live process. Zombies are not: `kill(pid, 0)` says that they live, which is how dead apps get reported as running. */
export interface LiveProcess extends ProcessIdentity {
  ppid: number;
  pgid: number;
}

/** What the kernel counts start times and CPU time in, on every architecture that Node.js runs on: USER_HZ of proc(5). */
export const TICKS_PER_SECOND = 100;

/** Enough for any machine; a fork bomb would go on for ever. */
const MAX_ROUNDS = 10;

/** PF_KTHREAD among the flags of a process, see proc(5). Threads of the kernel are most of what an idle machine has. */
const KERNEL_THREAD = 0x0020_0000;

interface ProcessStat {
  state: string | undefined;
  ppid: number;
  pgid: number;
  flags: number;
  /** Ticks of CPU time, in the program and in the kernel. */
  cpuTicks: number;
  threads: number;
  /** Ticks since the machine has started. */
  startTime: number;
}

/** What the kernel says of a process, see proc(5); undefined when it has ended. */
export function readStat(pid: number): ProcessStat | undefined {
  const stat = readProc(`/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  // The command name stands in parentheses and may itself hold spaces and parentheses.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const field = (number: number) => Number(fields[number - 3]);
  return {
    state: fields[0],
    ppid: field(4),
    pgid: field(5),
    flags: field(9),
    cpuTicks: field(14) + field(15),
    threads: field(20),
    startTime: field(22),
  };
}

/** The pid's identity, or undefined when there is no such live process. */
export function identify(pid: number): LiveProcess | undefined {
  const stat = readStat(pid);
  if (!stat) return undefined;
  // A zombie with threads left is a program whose main thread has ended before the others.
  if (stat.state === 'X' || (stat.state === 'Z' && stat.threads < 2)) return undefined;
  if (stat.flags & KERNEL_THREAD) return undefined;
  const { ppid, pgid, startTime } = stat;
  return { pid, ppid, pgid, startTime };
}

/**
 * All that live, each shown to `look` as soon as it is found. The list of pids is read again until it holds no new one:
 * a process that starts its successor and exits, over and over, could have been the one before at each look.
 */
export function liveProcesses(look: (found: LiveProcess) => void = () => undefined): LiveProcess[] {
  const found: LiveProcess[] = [];
  const known = new Set<string>();
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const added = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && !known.has(name));
    if (added.length === 0) break;
    for (const name of added) {
      known.add(name);
      const one = identify(Number(name));
      if (!one) continue;
      found.push(one);
      look(one);
    }
  }
  return found;
}

export const isAlive = (one: ProcessIdentity): boolean => {
  const found = identify(one.pid);
  return found !== undefined && isSameProcess(found, one);
};

/** The kernel lists them with the thread that has started them. */
export function childrenOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((thread) => childrenOfThread(pid, thread));
  } catch {
    return []; // it has ended
  }
}

/** Read to its end: the kernel hands such a list out page by page. */
export function childrenOfThread(pid: number, thread: number | string): number[] {
  try {
    const list = readFileSync(`/proc/${pid}/task/${thread}/children`, 'latin1');
    return list.split(' ').filter(Boolean).map(Number);
  } catch {
    return []; // it has ended
  }
}

export const keyOf = (identity: ProcessIdentity): string => `${identity.pid}:${identity.startTime}`;
