import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import type { ThreadContext } from '../../../contracts/worker-messages.js';
import { removeFolders } from '../../../machine/remove-folders.js';

type Owner = Pick<ThreadContext, 'paths' | 'operationId'>;

const prefixOf = ({ operationId }: Owner): string => `${operationId}-`;

/**
 * A folder for what git needs for one operation, such as credentials, in the repository's staging folder. Remove it when
 * git is done.
 */
export function makeScratchFolder(owner: Owner, name: string): string {
  const { staging } = owner.paths;
  mkdirSync(staging, { recursive: true });
  return mkdtempSync(join(staging, `${prefixOf(owner)}${name}-`));
}

export const removeScratchFolder = (folder: string): Promise<void> => removeFolders([folder]);

/**
 * At the end of an operation, however it came: its scratch folders; and the staging folder itself where the repository is
 * gone, which a late operation may have made anew.
 */
export async function clearStaging(owner: Owner): Promise<void> {
  const { workspace, staging } = owner.paths;
  try {
    const left = readdirSync(staging).filter((name) => name.startsWith(prefixOf(owner)));
    await removeFolders(left.map((name) => join(staging, name)));
    if (!existsSync(workspace)) rmdirSync(staging);
  } catch {
    // It is gone as well, or a clone is on its way; what stays the next start of the server removes.
  }
}
