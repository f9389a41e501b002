import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readInside } from '../../../machine/read-inside.js';
import { Git, type GitThread } from './git.js';
import { ownGitFolderOf } from './git-folder.js';
import { safeConfig } from './safe-config.js';
import { makeScratchFolder, removeScratchFolder } from '../workspace/scratch-folder.js';

/** What git reads to compare a working tree with its commit. */
const LINKED = ['index', 'info', 'objects', 'packed-refs', 'refs', 'reftable', 'shallow'];
const MAX_HEAD_BYTES = 4_096;

/**
 * Runs `read` with a git that finds the repository in a folder of its own, which links to what is stored in `.git` but
 * has a configuration that runs no program: so nothing of the repository is changed, whatever an app has put there.
 */
export async function withReadOnlyView<T>(
  workspace: string,
  thread: GitThread,
  read: (git: Git) => Promise<T>,
): Promise<T> {
  const gitFolder = ownGitFolderOf(workspace);
  const view = makeScratchFolder(thread.context, 'view');
  try {
    for (const name of LINKED) symlinkSync(join(gitFolder, name), join(view, name));
    writeFileSync(join(view, 'HEAD'), readInside(gitFolder, 'HEAD', MAX_HEAD_BYTES) ?? '');
    writeFileSync(join(view, 'config'), safeConfig(gitFolder));
    thread.sandbox.giveAway(view);
    return await read(new Git(thread, { environment: { GIT_DIR: view, GIT_WORK_TREE: workspace } }));
  } finally {
    await removeScratchFolder(view);
  }
}
