import { copyFileSync, existsSync, lstatSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Git, type GitThread } from './git.js';

const IDENTITY = {
  GIT_AUTHOR_NAME: 'Docking Station',
  GIT_AUTHOR_EMAIL: 'docking-station@localhost',
  GIT_COMMITTER_NAME: 'Docking Station',
  GIT_COMMITTER_EMAIL: 'docking-station@localhost',
};
const NEVER_SAVED = ':(exclude,glob)**/node_modules/**';

/**
 * Keeps under a ref what moving the tree to `target` would overwrite: changed tracked files, and untracked ones that the
 * target tracks. Resolves to the ref, or to undefined when there is nothing to keep. The tree and its index stay as
 * they are: the commit is made from an index of its own.
 */
export async function saveLocalChanges(folder: string, target: string, thread: GitThread): Promise<string | undefined> {
  const ownIndex = join(folder, '.git', 'index.saving');
  const git = new Git(thread, { environment: { ...IDENTITY, GIT_INDEX_FILE: ownIndex } });
  try {
    if (existsSync(join(folder, '.git', 'index'))) copyFileSync(join(folder, '.git', 'index'), ownIndex);
    else await git.run(folder, ['read-tree', 'HEAD']);
    await git.run(folder, ['add', '--update', '--', '.', NEVER_SAVED]);
    const inTheWay = await untrackedInTheWay(folder, target, git);
    if (inTheWay.length > 0) await git.run(folder, ['add', '--force', '--', ...inTheWay]);
    const tree = (await git.run(folder, ['write-tree'])).trim();
    if (tree === (await git.run(folder, ['rev-parse', 'HEAD^{tree}'])).trim()) return undefined;
    const message = 'Local changes that an update has replaced';
    const commit = (await git.run(folder, ['commit-tree', tree, '-p', 'HEAD', '-m', message])).trim();
    const ref = `refs/docking-station/saved/${Date.now()}`;
    await git.run(folder, ['update-ref', ref, commit]);
    return ref;
  } finally {
    rmSync(ownIndex, { force: true });
    rmSync(`${ownIndex}.lock`, { force: true });
  }
}

/** Files of the target that HEAD does not know, and in whose place something stands already. */
async function untrackedInTheWay(folder: string, target: string, git: Git): Promise<string[]> {
  const added = await git.run(folder, ['diff', '--name-only', '--no-renames', '--diff-filter=A', '-z', 'HEAD', target]);
  const paths = added.split('\0').filter((path) => path !== '' && !path.split('/').includes('node_modules'));
  const standing = paths.map((path) => standingAt(folder, path)).filter((path) => path !== undefined);
  return [...new Set(standing)].map((path) => `:(literal)${path}`);
}

/** The path itself, or a file where it needs a folder. Links are not followed. */
function standingAt(folder: string, path: string): string | undefined {
  const parent = dirname(path);
  if (parent !== '.') {
    const above = standingAt(folder, parent);
    if (above !== undefined) return above;
  }
  const stats = lstatSync(join(folder, path), { throwIfNoEntry: false });
  if (!stats) return undefined;
  return stats.isDirectory() ? undefined : path;
}
