import { readdirSync, readFileSync } from 'node:fs';

/**
 * Whether the process exists and is no zombie.
 * @param {number} pid
 */
export function alive(pid) {
  const stat = readProc(pid, 'stat');
  // The command name stands in parentheses and may itself hold some.
  return stat !== '' && !['Z', 'X'].includes(stat.charAt(stat.lastIndexOf(')') + 2));
}

/**
 * Live processes with `TAG=<tag>` in their environment: what a test gave its app, inherited by all that it started.
 * @param {string} tag
 */
export const processesTagged = (tag) => processes((pid) => readProc(pid, 'environ').split('\0').includes(`TAG=${tag}`));

/**
 * Live processes whose environment or command line mentions the text, such as the path of a temporary folder.
 * @param {string} text
 */
export function processesMentioning(text) {
  return processes((pid) => {
    const environment = readProc(pid, 'environ');
    // The test runner's own processes know of every folder of the run.
    if (environment.includes('JEST_WORKER_ID=')) return false;
    return environment.includes(text) || readProc(pid, 'cmdline').includes(text);
  });
}

/**
 * Of all its threads, the ended ones among them.
 * @param {number} pid
 */
export const childrenOf = (pid) =>
  readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
    readProc(pid, `task/${thread}/children`).split(' ').filter(Boolean).map(Number),
  );

/** @param {number} pid */
export const commandLine = (pid) => readProc(pid, 'cmdline').replaceAll('\0', ' ').trim();

/** @param {(pid: number) => boolean} matches */
function processes(matches) {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => pid !== process.pid && matches(pid) && alive(pid));
}

/** @param {number} pid @param {string} file */
function readProc(pid, file) {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1');
  } catch {
    return ''; // it has ended meanwhile
  }
}
