import { lstatSync, readdirSync, type Dirent } from 'node:fs';
import { dirname, join } from 'node:path';

const INSTALLED = 'node_modules';
/** Beyond this many folders something is taken for changed. */
const MAX_FOLDERS = 20_000;

/** A moment in the life of a workspace. */
export interface Moment {
  /** As the file system of the workspace counts, in ms. */
  time: number;
  /** What was at the root then: in that folder installs come and go, so that it looks changed in any case. */
  names: string[];
}

/** Whether anything in a workspace was made, written or removed since then, beside `node_modules` and `except`. */
export function isChangedSince(workspace: string, { time, names }: Moment, except: string[]): boolean {
  const excepted = new Set(['.git', INSTALLED, ...except]);
  const holdExcepted = new Set(['.', ...except.map((path) => dirname(path))]);
  const isRecent = (path: string) => (statOf(join(workspace, path))?.ctimeMs ?? 0) >= time;
  if (names.some((name) => !excepted.has(name) && !statOf(join(workspace, name)))) return true;
  const folders = ['.'];
  for (const folder of folders) {
    const entries = entriesIn(join(workspace, folder));
    const isTold = !holdExcepted.has(folder) && !entries.some(({ name }) => name === INSTALLED);
    if (isTold && isRecent(folder)) return true;
    for (const entry of entries) {
      const path = join(folder, entry.name);
      if (entry.name === INSTALLED || excepted.has(path)) continue;
      if (entry.isDirectory()) folders.push(path);
      else if (isRecent(path)) return true;
    }
    if (folders.length > MAX_FOLDERS) return true;
  }
  return false;
}

const statOf = (path: string) => lstatSync(path, { throwIfNoEntry: false });

function entriesIn(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return []; // gone meanwhile, or nobody's but its owner's
  }
}
