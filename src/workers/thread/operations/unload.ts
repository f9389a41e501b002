import { chmod, lstat, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Failure } from '../../../contracts/failure.js';
import type { Handler } from '../operation-thread.js';
import { diskUsage } from '../workspace/disk-usage.js';

const ATTEMPTS = 20;
const PAUSE_MS = 50;

/** Removes everything that the repository has on disk. */
export const unload: Handler<'unload'> = async (_input, thread) => {
  const { workspace, home, staging } = thread.context.paths;
  const folders = [workspace, home, staging];
  const freedBytes = await diskUsage(folders);
  for (const folder of folders) {
    thread.signal.throwIfAborted();
    thread.progress('removing', null, `removing ${folder === workspace ? 'the workspace' : 'caches'}`);
    await remove(folder);
  }
  return { freedBytes };
};

/** Tried again while something still writes into it (ENOTEMPTY), and after folders without write permission are opened. */
async function remove(folder: string): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await rm(folder, { recursive: true, force: true });
      return;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (attempt === ATTEMPTS) {
        throw new Failure('INTERNAL_ERROR', `A folder of the repository cannot be removed (${code})`, { cause: error });
      }
      if (code === 'EACCES' || code === 'EPERM') await openUp(folder);
      await delay(PAUSE_MS);
    }
  }
}

/** Links are not followed: their targets are somebody else's. */
async function openUp(folder: string): Promise<void> {
  if (!(await lstat(folder)).isDirectory()) return;
  await chmod(folder, 0o700);
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) await openUp(join(folder, entry.name));
  }
}
