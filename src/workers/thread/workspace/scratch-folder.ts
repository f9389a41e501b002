import { existsSync, mkdirSync, mkdtempSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { RepositoryPaths } from '../../../contracts/operations.js';

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

/** The staging folder of a repository that is gone: an operation that was late has made it anew, and it is empty. */
export function removeForsakenStaging({ workspace, staging }: Pick<RepositoryPaths, 'workspace' | 'staging'>): void {
  if (existsSync(workspace)) return;
  try {
    rmdirSync(staging);
  } catch {
    // it is gone as well, or a clone is on its way
  }
}
