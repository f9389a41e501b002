import { readFileSync } from 'node:fs';
import type { StatusOutput } from '../../../contracts/operations.js';
import { readStat, TICKS_PER_SECOND, type LiveProcess } from '../../../machine/live-processes.js';

/** What a process tree uses now: resident memory, and CPU in percent of one core since each process began. */
export function processUsage(members: LiveProcess[]): StatusOutput['process'] {
  const uptime = Number(readFileSync('/proc/uptime', 'latin1').split(' ')[0]);
  let [cpuPercent, memoryBytes, processes] = [0, 0, 0];
  for (const { pid, startTime } of members) {
    const stat = readStat(pid);
    if (!stat) continue;
    const seconds = stat.cpuTicks / TICKS_PER_SECOND;
    const lived = Math.max(0.01, uptime - startTime / TICKS_PER_SECOND);
    cpuPercent += (100 * seconds) / lived;
    memoryBytes += residentBytes(pid);
    processes += 1;
  }
  return { cpuPercent: Math.round(cpuPercent * 10) / 10, memoryBytes, processes };
}

function residentBytes(pid: number): number {
  try {
    const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1')) ?? [];
    return Number(kilobytes ?? 0) * 1024;
  } catch {
    return 0;
  }
}
