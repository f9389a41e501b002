import { readFileSync } from 'node:fs';
import type { StatusOutput } from '../../../contracts/operations.js';
import type { LiveProcess } from '../process-tree.js';

/** USER_HZ: what /proc counts CPU time in is 100 a second on every Linux that Node.js runs on. */
const TICKS_PER_SECOND = 100;

/** What a process tree uses now: resident memory, and CPU in percent of one core since each process began. */
export function processUsage(members: LiveProcess[]): StatusOutput['process'] {
  const uptime = Number(readFileSync('/proc/uptime', 'latin1').split(' ')[0]);
  let [cpuPercent, memoryBytes, processes] = [0, 0, 0];
  for (const { pid, startTime } of members) {
    const fields = statFields(pid);
    if (!fields) continue;
    const seconds = (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
    const lived = Math.max(0.01, uptime - startTime / TICKS_PER_SECOND);
    cpuPercent += (100 * seconds) / lived;
    memoryBytes += residentBytes(pid);
    processes += 1;
  }
  return { cpuPercent: Math.round(cpuPercent * 10) / 10, memoryBytes, processes };
}

/** From the third field on; undefined when the process has ended. */
function statFields(pid: number): string[] | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}

function residentBytes(pid: number): number {
  try {
    const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1')) ?? [];
    return Number(kilobytes ?? 0) * 1024;
  } catch {
    return 0;
  }
}
