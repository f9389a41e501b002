import { mkdirSync, mkdtempSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/**
 * A folder for what git needs for one operation, in the repository's staging folder, which a server that was killed
 * clears at its next start. Remove it when git is done.
 */
export function makeScratchFolder(staging: string, name: string): string {
  mkdirSync(staging, { recursive: true });
  return mkdtempSync(join(staging, `${name}-`));
}

/** And the staging folder, when it was the last in there. */
export function removeScratchFolder(staging: string, folder: string): void {
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  try {
    rmdirSync(staging);
  } catch {
    // another operation has one in there as well
  }
}
