import { closeSync, constants, openSync, readlinkSync, realpathSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Calls back with a path that leads to this folder of the workspace whatever becomes of its name: an app could exchange
 * it, or one above it, for a link that leads out. False where there is no such folder, or a link on the way to it.
 */
export function inFolder(workspace: string, folder: string, use: (path: string) => void): boolean {
  let descriptor: number;
  try {
    descriptor = openSync(join(workspace, folder), constants.O_RDONLY | constants.O_DIRECTORY);
  } catch {
    return false;
  }
  try {
    const path = `/proc/self/fd/${descriptor}`;
    if (readlinkSync(path) !== join(realpathSync(workspace), folder)) return false;
    use(path);
    return true;
  } finally {
    closeSync(descriptor);
  }
}
