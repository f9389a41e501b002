import { existsSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { excludeEachOther, type RemoteRef } from './fetch-ref.js';
import { Git, type GitThread } from './git.js';
import { isPlainPath } from './git-folder.js';
import { restoreSubmodules } from './restore-submodules.js';
import { addedPaths, saveLocalChanges, submodulePaths, type LocalChanges } from './saved-changes.js';

const IDENTITY = {
  GIT_AUTHOR_NAME: 'Docking Station',
  GIT_AUTHOR_EMAIL: 'docking-station@localhost',
  GIT_COMMITTER_NAME: 'Docking Station',
  GIT_COMMITTER_EMAIL: 'docking-station@localhost',
};

export interface Move {
  /** The ref that keeps what the move has overwritten. */
  savedRef?: string;
  /** Puts everything back, local changes included. */
  undo(): Promise<void>;
}

/**
 * Moves the tree, the index and HEAD to the fetched commit, and saves what that overwrites. A cancel that comes while
 * files are being written is too late; when the move fails, everything is put back.
 */
export async function moveTree(changes: LocalChanges, ref: RemoteRef, thread: GitThread): Promise<Move> {
  const { folder, from, to } = changes;
  const steady = { ...thread, signal: new AbortController().signal };
  const git = new Git(steady, { environment: IDENTITY });
  const head = (await git.run(folder, ['symbolic-ref', '--quiet', 'HEAD'])).trim();
  const target = ref.refKind === 'branch' ? `refs/heads/${ref.branch}` : '';
  const savedRef = await saveAndTakeIndex(changes, thread);

  const putBack = async () => {
    await removeAddedSubmodules(changes, git);
    await git.run(folder, ['read-tree', '--reset', '-u', savedRef ?? from]);
    await git.run(folder, ['read-tree', '--reset', from]);
    await pointHead(git, folder, from, head, target);
    await restoreSubmodules(folder, steady);
  };
  const undo = () =>
    putBack().catch((error: Error) => thread.log.write('system', [`The tree was not put back: ${error.message}`]));
  try {
    const submodules = await submodulePaths(folder, git);
    await git.run(folder, ['read-tree', '--verbose', '--reset', '-u', to]);
    await pointHead(git, folder, to, target, head);
    if (target) await follow(git, folder, ref.branch);
    await disownSubmodules(folder, submodules, git);
  } catch (error) {
    await undo();
    throw error;
  }
  return { savedRef, undo };
}

/** The index in which the changes were saved knows all files that may be taken away: the move starts from it. */
async function saveAndTakeIndex(changes: LocalChanges, thread: GitThread): Promise<string | undefined> {
  const gitFolder = join(changes.folder, '.git');
  const index = join(gitFolder, 'index.update');
  try {
    const git = new Git(thread, { environment: { ...IDENTITY, GIT_INDEX_FILE: index } });
    const savedRef = await saveLocalChanges(changes, index, git);
    thread.signal.throwIfAborted();
    renameSync(index, join(gitFolder, 'index'));
    return savedRef;
  } finally {
    rmSync(index, { force: true });
  }
}

/** What a submodule that is none any more leaves behind are plain files, and no repository to git. */
async function disownSubmodules(folder: string, former: string[], git: Git): Promise<void> {
  const remaining = new Set(await submodulePaths(folder, git));
  for (const path of former.filter((one) => !remaining.has(one) && isPlainPath(folder, one))) {
    rmSync(join(folder, path, '.git'), { recursive: true, force: true });
  }
}

/** They came with the update: nothing stood there that was not saved. */
async function removeAddedSubmodules(changes: LocalChanges, git: Git): Promise<void> {
  const { folder } = changes;
  for (const path of await addedPaths(changes, git)) {
    if (!existsSync(join(folder, path, '.git')) || !isPlainPath(folder, path)) continue;
    rmSync(join(folder, path), { recursive: true, force: true });
  }
}

/** Detached when there is no `branch`. `former` makes room where the two names exclude each other. */
async function pointHead(git: Git, folder: string, commit: string, branch: string, former: string): Promise<void> {
  await git.run(folder, ['update-ref', '--no-deref', 'HEAD', commit]);
  if (!branch) return;
  if (excludeEachOther(branch, former)) await git.run(folder, ['update-ref', '-d', former]);
  await git.run(folder, ['update-ref', branch, commit]);
  await git.run(folder, ['symbolic-ref', 'HEAD', branch]);
}

/** So that the status can tell how far the branch is from its upstream. */
async function follow(git: Git, folder: string, branch: string): Promise<void> {
  const fetch = `+refs/heads/${branch}:refs/remotes/origin/${branch}`;
  await git.run(folder, ['config', '--replace-all', 'remote.origin.fetch', fetch]);
  await git.run(folder, ['config', '--replace-all', `branch.${branch}.remote`, 'origin']);
  await git.run(folder, ['config', '--replace-all', `branch.${branch}.merge`, `refs/heads/${branch}`]);
}
