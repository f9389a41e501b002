import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { chmod, open, opendir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { O_PATH } from './o-path.js';

const PLAIN_FOLDER = O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW;
/** A stranger chooses how deep folders lie, and each on the way to one is held open meanwhile. */
const MAX_DEPTH = 32;

/**
 * Gives the owner every right to a folder that is to be removed and to those below it, as far as that is possible. What
 * lies deep is moved to the top first. Not `chmod -R`, which follows a link that is put into the place of what it has just
 * looked at.
 */
export async function openUp(folder: string): Promise<void> {
  await inOpened(folder, async (top) => {
    const name = randomUUID();
    let moved = 0;
    const moveUp = (path: string) => rename(path, join(top, `${name}-${moved++}`));
    await openBelow(top, MAX_DEPTH, moveUp);
    for (let next = 0; next < moved; next += 1) {
      await inOpened(join(top, `${name}-${next}`), (path) => openBelow(path, MAX_DEPTH, moveUp));
    }
  });
}

async function openBelow(folder: string, levels: number, moveUp: (path: string) => Promise<void>): Promise<void> {
  for await (const entry of await opendir(folder)) {
    if (!entry.isDirectory()) continue;
    const path = join(folder, entry.name);
    await inOpened(path, (opened) => (levels > 1 ? openBelow(opened, levels - 1, moveUp) : moveUp(path)));
  }
}

/** Calls back with a path that leads to this very folder whatever becomes of its name. */
async function inOpened(folder: string, use: (path: string) => Promise<void>): Promise<void> {
  const handle = await open(folder, PLAIN_FOLDER).catch(() => undefined);
  if (!handle) return; // no folder, or gone meanwhile
  const path = `/proc/self/fd/${handle.fd}`;
  try {
    await chmod(path, 0o700);
    await use(path);
  } catch {
    // It is another user's, or changes meanwhile.
  } finally {
    await handle.close();
  }
}
