import type { LimitsReport } from '../../../contracts/shapes.js';

const MIB = 1024 * 1024;

/**
 * Limits that the kernel itself holds, set inside the user namespace: the number of processes then counts that sandbox
 * alone, and stops a fork bomb without cgroups. The size is that of one file; the sum is watched.
 */
export function limitArguments({ processes, diskMb }: LimitsReport): string[] {
  return [
    ...['prlimit', '--core=0'],
    ...(processes === null ? [] : [`--nproc=${processes}`]),
    ...(diskMb === null ? [] : [`--fsize=${diskMb * MIB}`]),
    '--',
  ];
}
