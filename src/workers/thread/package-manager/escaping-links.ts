import { lstatSync, realpathSync, unlinkSync } from 'node:fs';
import { join, sep } from 'node:path';
import { WRITTEN_FILES } from './written-files.js';

/** What an install writes to in the workspace. */
const WRITTEN = ['node_modules', '.yarn', ...WRITTEN_FILES];

/**
 * Removes the links by which a repository would have an install write outside of its workspace, and returns their names.
 * One that stays inside does no harm, and one that leads nowhere may lead somewhere later.
 */
export function removeEscapingLinks(workspace: string): string[] {
  const inside = realpathSync(workspace) + sep;
  return WRITTEN.filter((name) => {
    const path = join(workspace, name);
    if (!lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() || leadsInto(path, inside)) return false;
    unlinkSync(path);
    return true;
  });
}

function leadsInto(link: string, folder: string): boolean {
  try {
    return realpathSync(link).startsWith(folder);
  } catch {
    return false; // it leads nowhere
  }
}
