import { readFileSync } from 'node:fs';
import type { LimitsReport } from '../../../contracts/shapes.js';
import { systemProgram } from './system-program.js';

const MIB = 1024 * 1024;

/** Of each process. Each socket takes memory of the kernel's that nobody counts; a file watcher takes some thousands. */
const MAX_OPEN_FILES = 65_536;
/** Nobody but root can go beyond what the server itself has. */
const own = Number(/^Max open files\s+\d+\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1'))?.[1]);
const openFiles = Math.min(own || MAX_OPEN_FILES, MAX_OPEN_FILES);

/**
 * Limits that the kernel itself holds, set inside the user namespace: the number of processes then counts that sandbox
 * alone, and stops a fork bomb without cgroups. The size is that of one file; the sum is watched.
 */
export function limitArguments({ processes, diskMb }: LimitsReport): string[] {
  return [
    systemProgram('prlimit'),
    '--core=0',
    `--nofile=${openFiles}`,
    ...(processes === null ? [] : [`--nproc=${processes}`]),
    ...(diskMb === null ? [] : [`--fsize=${diskMb * MIB}`]),
    '--',
  ];
}
