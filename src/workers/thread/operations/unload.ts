import type { Handler } from '../operation-thread.js';
import { diskBytes } from '../../../machine/disk-usage.js';
import { removeFolders } from '../../../machine/remove-folders.js';

/** Removes all that the repository has on disk, but its logs. */
export const unload: Handler<'unload'> = async (_input, { context, progress, signal }) => {
  const { workspace, home, staging } = context.paths;
  const folders = [workspace, home, staging];
  progress('removing', null, 'removing the workspace and the caches');
  const freedBytes = await diskBytes(folders, signal);
  await removeFolders(folders, signal);
  return { freedBytes };
};
