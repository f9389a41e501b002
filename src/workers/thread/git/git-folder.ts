import { existsSync, lstatSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { Failure } from '../../../contracts/failure.js';
import { shortened } from '../../../machine/bounded.js';
import { readInside, type UnreadableFile } from '../../../machine/read-inside.js';
import { useSafeConfig } from './safe-config.js';

/** What git leaves in its folder while a merge, a rebase and the like wait for somebody who finishes them; and an update. */
const UNFINISHED =
  /^((MERGE|CHERRY_PICK|REVERT|REBASE|BISECT)_[A-Z]+|AUTO_MERGE|SQUASH_MSG|rebase-(apply|merge)|sequencer|index\.update.*)$/;

const MAX_POINTER_BYTES = 4_096;

/**
 * Where git keeps the repository whose files are in `worktree`. GIT_FAILED where an app has removed it, or put a link
 * into its place, by which git would read and write elsewhere.
 */
function gitFolderOf(worktree: string): string {
  const path = join(worktree, '.git');
  const stats = lstatSync(path, { throwIfNoEntry: false });
  // A submodule has a file there.
  const folder = stats?.isFile() ? resolve(worktree, pointerIn(worktree)) : path;
  if (!stats || stats.isSymbolicLink() || !existsSync(join(folder, 'refs'))) {
    throw damaged('There is no .git folder any more');
  }
  const link = readdirSync(folder, { withFileTypes: true }).find((entry) => entry.isSymbolicLink());
  if (link) throw damaged(`There is a link at .git/${shortened(link.name)}`);
  return folder;
}

/** The same for what was docked, which is no submodule: a file would lead to another repository. */
export function ownGitFolderOf(workspace: string): string {
  if (lstatSync(join(workspace, '.git'), { throwIfNoEntry: false })?.isFile()) {
    throw damaged('There is a file in place of the .git folder');
  }
  return gitFolderOf(workspace);
}

/** Makes a repository that apps could write to safe and fit for git: no other operation can be changing it now. GIT_FAILED. */
export function recoverRepository(workspace: string): void {
  makeFit(ownGitFolderOf(workspace));
}

/**
 * The same for a submodule of the repository in `worktree`. One that is not cloned yet is left without a `.git`, as git
 * would take any that is there for its clone. GIT_FAILED.
 */
export function recoverSubmodule(worktree: string, { name, path }: { name: string; path: string }): void {
  const [gitFolder, files] = [join(gitFolderOf(worktree), 'modules', name), join(worktree, path)];
  const pointer = join(files, '.git');
  if (name.split('/').includes('..') || !isPlainPath(worktree, path)) throw damaged('It leads out of the repository');
  if (!existsSync(gitFolder)) {
    rmSync(pointer, { recursive: true, force: true });
    return;
  }
  if (!isPlainPath(gitFolderOf(worktree), join('modules', name))) {
    throw damaged('There is a link in place of its .git folder');
  }
  makeFit(gitFolder, relative(gitFolder, files));
  // Without a pointer git connects the two itself, and checks the files out.
  if (!lstatSync(pointer, { throwIfNoEntry: false })) return;
  rmSync(pointer, { recursive: true, force: true });
  writeFileSync(pointer, `gitdir: ${relative(files, gitFolder)}\n`, { flag: 'wx' });
}

function makeFit(gitFolder: string, worktree?: string): void {
  try {
    useSafeConfig(gitFolder, worktree);
    removeLeftovers(gitFolder);
  } catch (error) {
    // Such as folders in place of its files that lie deeper than the longest path that the kernel takes.
    throw damaged(`What is in the .git folder cannot be replaced (${(error as NodeJS.ErrnoException).code})`);
  }
}

function pointerIn(worktree: string): string {
  try {
    const pointer = readInside(worktree, '.git', MAX_POINTER_BYTES)?.toString('utf8') ?? '';
    return pointer.replace(/^gitdir: |\n$/g, '');
  } catch (error) {
    throw damaged((error as UnreadableFile).message);
  }
}

/** Locks are of a git that was killed. */
function removeLeftovers(gitFolder: string): void {
  const entries = readdirSync(gitFolder, { withFileTypes: true });
  const refs = readdirSync(join(gitFolder, 'refs'), { withFileTypes: true, recursive: true });
  for (const { parentPath, name } of [...entries, ...refs]) {
    if (name.endsWith('.lock')) rmSync(join(parentPath, name), { recursive: true, force: true });
  }
  for (const { name } of entries) {
    if (UNFINISHED.test(name)) rmSync(join(gitFolder, name), { recursive: true, force: true });
  }
}

/** Whether no part of the path is a link or leads upwards. */
export function isPlainPath(base: string, path: string): boolean {
  const whole = join(realpathSync(base), path);
  return !path.split('/').includes('..') && (!existsSync(whole) || realpathSync(whole) === whole);
}

const damaged = (reason: string): Failure =>
  new Failure('GIT_FAILED', reason, { suggestion: 'Unload the repository and clone it again.' });
