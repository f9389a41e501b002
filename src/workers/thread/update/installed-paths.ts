import { readdirSync, type Dirent } from 'node:fs';
import { join } from 'node:path';
import { exists } from '../../../machine/exists.js';

/** Tracked by some repositories, so that an install needs no registry. */
export const YARN_CACHE = '.yarn/cache';
/** Beside node_modules, what yarn 2 and later puts packages and their state into. */
export const YARN_PATHS = ['.yarn/unplugged', '.yarn/install-state.gz', '.yarn/build-state.yml', YARN_CACHE];
/** Beyond this many folders the members of a workspace are not looked for any further. */
const MAX_FOLDERS = 20_000;

/** What installs have made in a workspace, every member's `node_modules` included. Relative paths; none holds another. */
export function installedPaths(workspace: string): { paths: string[]; complete: boolean } {
  const paths = YARN_PATHS.filter((path) => exists(join(workspace, path)));
  const folders = [''];
  for (const folder of folders) {
    for (const entry of foldersIn(join(workspace, folder))) {
      const path = join(folder, entry.name);
      if (entry.name === 'node_modules') paths.push(path);
      else if (entry.name !== '.git' && folders.length < MAX_FOLDERS) folders.push(path);
    }
  }
  return { paths, complete: folders.length < MAX_FOLDERS };
}

/** Links lead elsewhere. */
function foldersIn(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  } catch {
    return []; // gone meanwhile, or nobody's but its owner's
  }
}
