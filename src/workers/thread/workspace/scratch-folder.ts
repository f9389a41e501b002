import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/**
 * A folder for what git needs for one operation, in the repository's staging folder, which a server that was killed
 * clears at its next start. Remove it when git is done.
 */
export function makeScratchFolder(staging: string, name: string): string {
  mkdirSync(staging, { recursive: true });
  return mkdtempSync(join(staging, `${name}-`));
}

export function removeScratchFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
}
