import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { readInside } from '../../../machine/read-inside.js';
import { removeFile } from '../../../machine/remove-file.js';
import type { RemoteRef } from './fetch-ref.js';
import { Git, type GitThread } from './git.js';
import { entriesOf, submodulesAmong } from './index-entries.js';
import { IDENTITY, pointHead, putTreeBack, type MovedTree } from './put-tree-back.js';
import { removeInside } from '../workspace/in-folder.js';
import { saveLocalChanges, type LocalChanges, type SavedChanges } from './saved-changes.js';

export interface MoveInput extends LocalChanges {
  to: string;
  ref: RemoteRef;
}

const MAX_HEAD_BYTES = 4_096;

interface Move {
  /** The ref that keeps what the move has overwritten. */
  savedRef?: string;
  /** Puts everything back, local changes included. */
  undo(): Promise<void>;
}

/**
 * Moves the tree, the index and HEAD to the fetched commit, and saves what that overwrites. `beforeMove` hears what it
 * will take to undo it. A cancel that comes while files are being written is too late; when the move fails, everything is
 * put back.
 */
export async function moveTree(
  input: MoveInput,
  thread: GitThread,
  beforeMove: (moved: MovedTree) => void,
): Promise<Move> {
  const { folder, from, to, ref } = input;
  const steady = { ...thread, signal: new AbortController().signal };
  const git = new Git(steady, { environment: IDENTITY });
  const head = headOf(folder);
  const target = ref.refKind === 'branch' ? `refs/heads/${ref.branch}` : '';
  const { savedRef, submodules } = await saveAndTakeIndex(input, thread);

  const moved = { from, to, head, target, savedRef };
  beforeMove(moved);

  const undo = () =>
    putTreeBack(folder, moved, thread).catch((error: Error) =>
      thread.log.write('system', [`The tree was not put back: ${error.message}`]),
    );
  try {
    await git.run(folder, ['read-tree', '--verbose', '--reset', '-u', to]);
    if (to !== from || target !== head) await pointHead(git, folder, to, target, head);
    if (target !== head && target !== '') await follow(git, folder, ref.branch);
    if (submodules.length > 0) await disownSubmodules(folder, submodules, git);
  } catch (error) {
    await undo();
    throw error;
  }
  return { savedRef, undo };
}

/** The branch that HEAD names; empty where it is detached. */
const headOf = (folder: string): string =>
  /^ref: (\S+)/.exec(readInside(folder, '.git/HEAD', MAX_HEAD_BYTES)?.toString('utf8') ?? '')?.[1] ?? '';

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
    removeFile(index);
  }
}

/** What a submodule that is none any more leaves behind are plain files, and no repository to git. */
async function disownSubmodules(folder: string, former: string[], git: Git): Promise<void> {
  const remaining = submodulesAmong(await entriesOf(folder, git));
  for (const path of former.filter((one) => !remaining.has(one))) await removeInside(folder, join(path, '.git'));
}

/** So that the status can tell how far the branch is from its upstream. */
async function follow(git: Git, folder: string, branch: string): Promise<void> {
  const fetch = `+refs/heads/${branch}:refs/remotes/origin/${branch}`;
  await git.run(folder, ['config', '--replace-all', 'remote.origin.fetch', fetch]);
  await git.run(folder, ['config', '--replace-all', `branch.${branch}.remote`, 'origin']);
  await git.run(folder, ['config', '--replace-all', `branch.${branch}.merge`, `refs/heads/${branch}`]);
}
