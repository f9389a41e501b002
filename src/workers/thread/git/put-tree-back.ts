import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { excludeEachOther } from './fetch-ref.js';
import { Git, type GitThread } from './git.js';
import { recoverRepository } from './git-folder.js';
import { changedPaths } from './history.js';
import { dockedAt } from './repository.js';
import { restoreSubmodules } from './restore-submodules.js';
import { removeInside } from '../workspace/in-folder.js';

/** A move of the tree, as plain data: all that it takes to put the tree back. */
export interface MovedTree {
  from: string;
  to: string;
  /** What HEAD pointed to before, and what it points to afterwards; empty where it is detached. */
  head: string;
  target: string;
  /** The ref that keeps what the move has overwritten. */
  savedRef?: string;
}

/** Of the commits and refs that the station makes. */
export const IDENTITY = {
  GIT_AUTHOR_NAME: 'Docking Station',
  GIT_AUTHOR_EMAIL: 'docking-station@localhost',
  GIT_COMMITTER_NAME: 'Docking Station',
  GIT_COMMITTER_EMAIL: 'docking-station@localhost',
};

/** Puts everything back, local changes included; what was put back already, or never moved, stays. No abort ends it. */
export async function putTreeBack(folder: string, moved: MovedTree, thread: GitThread): Promise<void> {
  const { from, to, head, target, savedRef } = moved;
  const steady = { ...thread, signal: new AbortController().signal };
  const git = new Git(steady, { environment: IDENTITY });
  await recoverRepository(folder);
  const added = (await changedPaths(folder, from, to, git)).filter(({ isAdded }) => isAdded);
  for (const { path } of added) await removeSubmodule(folder, path);
  // Of a move that was cut off the index does not know which files it has written.
  await git.run(folder, ['read-tree', '--reset', to]);
  await git.run(folder, ['read-tree', '--reset', '-u', savedRef ?? from]);
  await git.run(folder, ['read-tree', '--reset', from]);
  await pointHead(git, folder, from, head, target);
  await restoreSubmodules(dockedAt(folder), steady);
}

/** It came with the move: nothing stood there that was not saved. */
async function removeSubmodule(folder: string, path: string): Promise<void> {
  if (existsSync(join(folder, path, '.git'))) await removeInside(folder, path);
}

/** Detached when there is no `branch`. `former` makes room where the two names exclude each other. */
export async function pointHead(
  git: Git,
  folder: string,
  commit: string,
  branch: string,
  former: string,
): Promise<void> {
  const update = (...args: string[]) => git.run(folder, ['update-ref', ...args]);
  if (branch !== '' && branch === former) return void (await update('HEAD', commit));
  await update('--no-deref', 'HEAD', commit);
  if (branch === '') return;
  if (excludeEachOther(branch, former)) await update('-d', former);
  await update(branch, commit);
  await git.run(folder, ['symbolic-ref', 'HEAD', branch]);
}
