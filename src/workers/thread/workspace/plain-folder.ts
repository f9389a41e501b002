import { lstatSync, mkdirSync } from 'node:fs';
import { removeFile } from '../../../machine/remove-file.js';

/** Makes the folder, in place of whatever else a repository has put there: a link would lead out of what is its own. */
export function makePlainFolder(path: string): void {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats?.isDirectory()) return;
  if (stats) removeFile(path);
  mkdirSync(path, { recursive: true });
}
