import { existsSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { excludeEachOther, type RemoteRef } from './fetch-ref.js';
import { Git, type GitThread } from './git.js';
import { isPlainPath } from './git-folder.js';
import { restoreSubmodules } from './restore-submodules.js';
import { saveLocalChanges, submodulePaths, type LocalChanges, type SavedChanges } from './saved-changes.js';

const IDENTITY = {
  GIT_AUTHOR_NAME: 'Docking Station',
  GIT_AUTHOR_EMAIL: 'docking-station@localhost',
  GIT_COMMITTER_NAME: 'Docking Station',
  GIT_COMMITTER_EMAIL: 'docking-station@localhost',
};

export interface MoveInput extends LocalChanges {
  to: string;
  ref: RemoteRef;
}

interface Move {
  /** The ref that keeps what the move has overwritten. */
  savedRef?: string;
  /** Puts everything back, local changes included. */
  undo(): Promise<void>;
}

/**
 * Moves the tree, the index and HEAD to the fetched commit, and saves what that overwrites. A cancel that comes while
 * files are being written is too late; when the move fails, everything is put back.
 */
export async function moveTree(input: MoveInput, thread: GitThread): Promise<Move> {
  const { folder, from, to, ref } = input;
  const steady = { ...thread, signal: new AbortController().signal };
  const git = new Git(steady, { environment: IDENTITY });
  const head = (await git.run(folder, ['symbolic-ref', '--quiet', 'HEAD'])).trim();
  const target = ref.refKind === 'branch' ? `refs/heads/${ref.branch}` : '';
  const { savedRef, submodules } = await saveAndTakeIndex(input, thread);

  const putBack = async () => {
    removeAddedSubmodules(input);
    await git.run(folder, ['read-tree', '--reset', '-u', savedRef ?? from]);
    await git.run(folder, ['read-tree', '--reset', from]);
    await pointHead(git, folder, from, head, target);
    await restoreSubmodules(folder, steady);
  };
  const undo = () =>
    putBack().catch((error: Error) => thread.log.write('system', [`The tree was not put back: ${error.message}`]));
  try {
    await git.run(folder, ['read-tree', '--verbose', '--reset', '-u', to]);
    await pointHead(git, folder, to, target, head);
    if (target !== head && target !== '') await follow(git, folder, ref.branch);
    if (submodules.length > 0) await disownSubmodules(folder, submodules, git);
  } catch (error) {
    await undo();
    throw error;
  }
  return { savedRef, undo };
}

/** The index in which the changes were saved knows all files that may be taken away: the move starts from it. */
async function saveAndTakeIndex(changes: LocalChanges, thread: GitThread): Promise<SavedChanges> {
  const gitFolder = join(changes.folder, '.git');
  const index = join(gitFolder, 'index.update');
  try {
    const git = new Git(thread, { environment: { ...IDENTITY, GIT_INDEX_FILE: index } });
    const saved = await saveLocalChanges(changes, index, git);
    thread.signal.throwIfAborted();
    renameSync(index, join(gitFolder, 'index'));
    return saved;
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
function removeAddedSubmodules({ folder, added }: LocalChanges): void {
  for (const path of added.filter((one) => existsSync(join(folder, one, '.git')) && isPlainPath(folder, one))) {
    rmSync(join(folder, path), { recursive: true, force: true });
  }
}

/** Detached when there is no `branch`. `former` makes room where the two names exclude each other. */
async function pointHead(git: Git, folder: string, commit: string, branch: string, former: string): Promise<void> {
  const update = (...args: string[]) => git.run(folder, ['update-ref', ...args]);
  if (branch !== '' && branch === former) return void (await update('HEAD', commit));
  await update('--no-deref', 'HEAD', commit);
  if (branch === '') return;
  if (excludeEachOther(branch, former)) await update('-d', former);
  await update(branch, commit);
  await git.run(folder, ['symbolic-ref', 'HEAD', branch]);
}

/** So that the status can tell how far the branch is from its upstream. */
async function follow(git: Git, folder: string, branch: string): Promise<void> {
  const fetch = `+refs/heads/${branch}:refs/remotes/origin/${branch}`;
  await git.run(folder, ['config', '--replace-all', 'remote.origin.fetch', fetch]);
  await git.run(folder, ['config', '--replace-all', `branch.${branch}.remote`, 'origin']);
  await git.run(folder, ['config', '--replace-all', `branch.${branch}.merge`, `refs/heads/${branch}`]);
}
