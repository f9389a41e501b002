import { accessSync, constants, existsSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { lockFolder } from './folder-lock.js';

/** Makes the folders that the station owns, and takes them; an Error names the variable whose folder it cannot have. */
export function prepareFolders({ dataDir, workspaceDir }: { dataDir: string; workspaceDir: string }): void {
  const folders = [
    ['DATA_DIR', dataDir],
    ['WORKSPACE_DIR', workspaceDir],
  ] as const;
  for (const [variable, folder] of folders) {
    try {
      makeFolder(folder);
      accessSync(folder, constants.W_OK);
    } catch (cause) {
      throw new Error(`${variable}: expected a folder that the server may write to: ${folder}`, { cause });
    }
  }
  for (const [variable, folder] of folders) takeAlone(variable, folder);
}

/** Before anything is read: a second station would end what the first one runs, for what an earlier life has left. */
function takeAlone(variable: string, folder: string): void {
  // Not among the repositories, whose names are anybody's.
  const place = variable === 'WORKSPACE_DIR' ? join(folder, '.manifests') : folder;
  try {
    makeFolder(place);
    lockFolder(place);
  } catch (cause) {
    const message = `${variable}: a station is running on this folder already: ${folder}`;
    throw new Error(`${message}\n  Stop that one first, or give this one its own DATA_DIR, WORKSPACE_DIR and PORT.`, {
      cause,
    });
  }
}

/** With those above it. Not by Node's `recursive`, which never comes back from where nobody can make a folder, as /proc. */
function makeFolder(folder: string): void {
  if (existsSync(folder)) return;
  makeFolder(dirname(folder));
  mkdirSync(folder, { mode: 0o700 });
}
