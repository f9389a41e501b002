import { constants } from 'node:fs';
import { chmod, open, opendir } from 'node:fs/promises';
import { join } from 'node:path';
import { O_PATH } from './o-path.js';

const PLAIN_FOLDER = O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW;

/**
 * Gives the owner every right to a folder and to those below it, as far as that is possible. Not `chmod -R`, which follows
 * a link that is put into the place of what it has just looked at.
 */
export async function openUp(folder: string): Promise<void> {
  const handle = await open(folder, PLAIN_FOLDER).catch(() => undefined);
  if (!handle) return; // no folder, or gone meanwhile
  const path = `/proc/self/fd/${handle.fd}`;
  try {
    await chmod(path, 0o700);
    for await (const entry of await opendir(path)) if (entry.isDirectory()) await openUp(join(path, entry.name));
  } catch {
    // It is another user's, or changes meanwhile.
  } finally {
    await handle.close();
  }
}
