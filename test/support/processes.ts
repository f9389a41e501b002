import { readdirSync, readFileSync } from 'node:fs';

/** Whether the process exists and is no zombie. */
export function alive(pid: number): boolean {
  const stat = readProc(pid, 'stat');
  // The command name stands in parentheses and may itself hold some.
  return stat !== '' && !['Z', 'X'].includes(stat[stat.lastIndexOf(')') + 2] ?? '');
}

/** Live processes with `variable=value` in their environment. */
export function processesWith(variable: string, value: string): number[] {
  return processes((pid) => readProc(pid, 'environ').split('\0').includes(`${variable}=${value}`));
}

/** Live processes with `TAG=<tag>` in their environment: what a test gave its app, inherited by all that it started. */
export const processesTagged = (tag: string): number[] => processesWith('TAG', tag);

/** Live processes whose environment or command line mentions the text, such as the path of a temporary folder. */
export function processesMentioning(text: string): number[] {
  return processes((pid) => {
    const environment = readProc(pid, 'environ');
    // The test runner's own processes know of every folder of the run.
    if (environment.includes('JEST_WORKER_ID=')) return false;
    return environment.includes(text) || readProc(pid, 'cmdline').includes(text);
  });
}

export const commandLine = (pid: number): string => readProc(pid, 'cmdline').replaceAll('\0', ' ').trim();

function processes(matches: (pid: number) => boolean): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => pid !== process.pid && matches(pid) && alive(pid));
}

function readProc(pid: number, file: 'stat' | 'environ' | 'cmdline'): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1');
  } catch {
    return ''; // it has ended meanwhile
  }
}
