import { closeSync, constants, openSync, readlinkSync, realpathSync } from 'node:fs';
import { basename, dirname, join, sep } from 'node:path';
import { O_PATH } from '../../../machine/o-path.js';
import { removeFolders } from '../../../machine/remove-folders.js';

/** A folder of a workspace that is held on to. */
export interface HeldFolder {
  /**
   * Leads there whatever becomes of the folder's name: an app could exchange it, or one above it, for a link that leads out.
   * For the children of this process too.
   */
  path: string;
  release(): void;
}

/** Undefined where there is no such folder in the workspace, or a link on the way to it. Release it. */
export function holdFolder(workspace: string, folder: string): HeldFolder | undefined {
  let [expected, descriptor] = ['', -1];
  try {
    const root = realpathSync(workspace);
    expected = join(root, folder);
    if (!`${expected}${sep}`.startsWith(root + sep)) return undefined;
    descriptor = openSync(expected, O_PATH | constants.O_DIRECTORY);
  } catch {
    return undefined;
  }
  const path = `/proc/${process.pid}/fd/${descriptor}`;
  const release = () => closeSync(descriptor);
  if (readlinkSync(path) === expected) return { path, release };
  release();
  return undefined;
}

/** Calls back with a path as above. False where there is no such folder. */
export function inFolder(workspace: string, folder: string, use: (path: string) => void): boolean {
  const held = holdFolder(workspace, folder);
  if (!held) return false;
  try {
    use(held.path);
    return true;
  } finally {
    held.release();
  }
}

/** Removes what stands at this path of the workspace, and nothing else, whatever an app makes of it meanwhile. */
export async function removeInside(workspace: string, path: string): Promise<void> {
  const held = holdFolder(workspace, dirname(path));
  try {
    if (held) await removeFolders([join(held.path, basename(path))]);
  } finally {
    held?.release();
  }
}
