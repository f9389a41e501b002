import { lstatSync, renameSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { removeFolders } from '../../../machine/remove-folders.js';
import type { OperationThread } from '../operation-thread.js';
import { holdFolder } from './in-folder.js';
import { makeScratchFolder, removeScratchFolder } from './scratch-folder.js';

/**
 * Puts a file of the repository's user at this path of its workspace or home, in place of whatever stands there. It grows
 * where no app can reach it, and is moved: a rename neither follows a link nor writes into what an app has open. Rejects
 * where the folder is gone, and where the app puts another one into the place again and again.
 */
export async function putFile(
  base: string,
  path: string,
  content: string,
  { context, sandbox }: Pick<OperationThread, 'context' | 'sandbox'>,
): Promise<void> {
  const held = holdFolder(base, dirname(path));
  if (!held) throw new Error(`${dirname(path)} is no folder any more`);
  const scratch = makeScratchFolder(context, 'file');
  try {
    const next = join(scratch, 'next');
    writeFileSync(next, content, { mode: 0o600 });
    sandbox.giveAway(next);
    const place = join(held.path, basename(path));
    if (lstatSync(place, { throwIfNoEntry: false })?.isDirectory()) await removeFolders([place]);
    renameSync(next, place);
  } finally {
    held.release();
    await removeScratchFolder(scratch);
  }
}
