import { existsSync, lstatSync, readdirSync, realpathSync } from 'node:fs';
import { join, relative } from 'node:path';
import { Failure } from '../../../contracts/failure.js';
import { shortened } from '../../../machine/bounded.js';
import { removeFolders } from '../../../machine/remove-folders.js';
import { dockedAt, type Repository } from './repository.js';
import { useSafeConfig } from './safe-config.js';

/**
 * What git leaves in its folder while a merge, a rebase and the like wait for somebody who finishes them; and an update. By
 * the last it would take its configuration from elsewhere.
 */
const UNFINISHED =
  /^((MERGE|CHERRY_PICK|REVERT|REBASE|BISECT)_[A-Z]+|AUTO_MERGE|SQUASH_MSG|rebase-(apply|merge)|sequencer|index\.update.*|commondir)$/;

/**
 * Where git keeps what was docked. GIT_FAILED where an app has removed it, or put a link or a file into its place, by which
 * git would read and write elsewhere.
 */
export function ownGitFolderOf(workspace: string): string {
  const { gitFolder } = dockedAt(workspace);
  if (lstatSync(gitFolder, { throwIfNoEntry: false })?.isFile()) {
    throw damaged('There is a file in place of the .git folder');
  }
  refuseDamaged(gitFolder);
  return gitFolder;
}

/**
 * Makes a repository that apps could write to safe and fit for git: no other operation can be changing it now. To be done
 * before every git that fetches or writes files: one that writes files can be led astray by a running app that exchanges
 * their folders for links, also into `.git`. GIT_FAILED.
 */
export async function recoverRepository(workspace: string): Promise<void> {
  await makeFit(ownGitFolderOf(workspace));
}

/** The same for a submodule of the repository; one that is not cloned yet has no git folder. GIT_FAILED. */
export async function recoverSubmodule(
  { root, path: above, gitFolder: aboveFolder }: Repository,
  { name, path: below }: { name: string; path: string },
): Promise<Repository> {
  const [path, place] = [join(above, below), join('modules', name)];
  if (name.split('/').includes('..') || !isPlainPath(root, path)) throw damaged('It leads out of the repository');
  if (!isPlainPath(aboveFolder, place)) throw damaged('There is a link in place of its .git folder');
  const gitFolder = join(aboveFolder, place);
  if (existsSync(gitFolder)) {
    refuseDamaged(gitFolder);
    await makeFit(gitFolder, relative(gitFolder, join(root, path)));
  }
  return { root, path, gitFolder };
}

function refuseDamaged(gitFolder: string): void {
  if (!lstatSync(gitFolder, { throwIfNoEntry: false })?.isDirectory() || !existsSync(join(gitFolder, 'refs'))) {
    throw damaged('There is no .git folder any more');
  }
  const link = readdirSync(gitFolder, { withFileTypes: true }).find((entry) => entry.isSymbolicLink());
  if (link) throw damaged(`There is a link at .git/${shortened(link.name)}`);
}

async function makeFit(gitFolder: string, worktree?: string): Promise<void> {
  try {
    await useSafeConfig(gitFolder, worktree);
    await removeLeftovers(gitFolder);
  } catch (error) {
    // Such as folders in place of its files that lie deeper than the longest path that the kernel takes.
    throw damaged(`What is in the .git folder cannot be replaced (${(error as NodeJS.ErrnoException).code})`);
  }
}

/** Locks are of a git that was killed. */
async function removeLeftovers(gitFolder: string): Promise<void> {
  const entries = readdirSync(gitFolder, { withFileTypes: true });
  const refs = readdirSync(join(gitFolder, 'refs'), { withFileTypes: true, recursive: true });
  const locks = [...entries, ...refs].filter(({ name }) => name.endsWith('.lock'));
  const unfinished = entries.filter(({ name }) => UNFINISHED.test(name));
  await removeFolders([...locks, ...unfinished].map(({ parentPath, name }) => join(parentPath, name)));
}

/** Whether no part of the path is a link or leads upwards. */
function isPlainPath(base: string, path: string): boolean {
  const whole = join(realpathSync(base), path);
  return !path.split('/').includes('..') && (!existsSync(whole) || realpathSync(whole) === whole);
}

const damaged = (reason: string): Failure =>
  new Failure('GIT_FAILED', reason, { suggestion: 'Unload the repository and clone it again.' });
