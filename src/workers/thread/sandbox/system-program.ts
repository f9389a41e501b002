import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';

/** Where the programs of the sandbox itself are; what runs inside has a PATH of its own. */
export const SYSTEM_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/**
 * The whole path of a program that is started inside, before the command: on the PATH of the command a program of the
 * repository may come first. All of these folders are there inside as well, and are read-only.
 */
export function systemProgram(name: string): string {
  const paths = SYSTEM_PATH.split(':').map((folder) => join(folder, name));
  return paths.find(isExecutable) ?? join('/usr/bin', name); // bwrap says that it is not there
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
