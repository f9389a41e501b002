import { linkSync, lstatSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../../../contracts/failure.js';
import type { Git } from './git.js';

/** What a package manager makes anew. */
const CACHES = ['node_modules', '.cache', '.npm', '.pnpm-store', '.yarn/cache', '.yarn/unplugged'];
const NEVER_SAVED = CACHES.map((path) => `:(exclude,glob)**/${path}/**`);

export interface LocalChanges {
  folder: string;
  from: string;
  to: string;
  /** Commits that were made here have no other place to be kept in. */
  hasLocalCommits: boolean;
}

/** Whether HEAD has commits that the remote never had. To be asked before a fetch, which forgets what the remote had. */
export async function hasLocalCommits(folder: string, git: Git): Promise<boolean> {
  return (await git.run(folder, ['rev-list', '--max-count=1', 'HEAD', '--not', '--remotes', '--tags'])) !== '';
}

/**
 * Makes a commit of what a move from `from` to `to` would overwrite: changed tracked files, and untracked ones that stand
 * where `to` has some. Resolves with the ref that keeps it, or undefined when there is nothing to keep. `git` has an
 * index of its own in the file `index`, which holds these files afterwards, so that the move may take them away.
 */
export async function saveLocalChanges(changes: LocalChanges, index: string, git: Git): Promise<string | undefined> {
  const { folder, from } = changes;
  await fillIndex(changes, index, git);
  const submodules = await submodulePaths(folder, git);
  // git would run by the configuration of a submodule to compare it.
  const others = submodules.map((path) => `:(exclude,literal)${path}`);
  await git.run(folder, ['add', '--update', '--', '.', ...NEVER_SAVED, ...others]);
  const inTheWay = (await addedPaths(changes, git))
    .filter((path) => !submodules.some((submodule) => path.startsWith(`${submodule}/`)))
    .flatMap((path) => standingAt(folder, path));
  if (inTheWay.length > 0) await addToIndex([...new Set(inTheWay)], folder, index, git);

  const tree = (await git.run(folder, ['write-tree'])).trim();
  const isChanged = tree !== (await git.run(folder, ['rev-parse', `${from}^{tree}`])).trim();
  if (!isChanged && !changes.hasLocalCommits) return undefined;
  const message = 'Local changes that an update has replaced';
  const commit = (await git.run(folder, ['commit-tree', tree, '-p', from, '-m', message])).trim();
  const ref = `refs/docking-station/saved/${new Date().toISOString().replaceAll(/[:.]/g, '-')}`;
  await git.run(folder, ['update-ref', ref, commit]);
  return ref;
}

/**
 * From the repository's own index, as that knows which files are unchanged without reading them. Made anew where it is
 * damaged, or has entries that git was told not to look at.
 */
async function fillIndex({ folder, from }: LocalChanges, index: string, git: Git): Promise<void> {
  rmSync(index, { force: true });
  try {
    linkSync(join(folder, '.git', 'index'), index);
    await git.run(folder, ['read-tree', '--reset', from]);
    const entries = (await git.run(folder, ['ls-files', '-v', '-z'])).split('\0');
    if (entries.every((entry) => entry === '' || entry.startsWith('H '))) return;
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    const isDamaged = error instanceof Failure && error.code === 'GIT_FAILED';
    if (!isMissing && !isDamaged) throw error;
  }
  rmSync(index, { force: true });
  await git.run(folder, ['read-tree', from]);
}

/** Of those in the index of `git`. */
export async function submodulePaths(folder: string, git: Git): Promise<string[]> {
  const entries = (await git.run(folder, ['ls-files', '--stage', '-z'])).split('\0');
  return entries.filter((entry) => entry.startsWith('160000 ')).map((entry) => entry.slice(entry.indexOf('\t') + 1));
}

/** Files and submodules that `to` has and `from` has not. */
export async function addedPaths({ folder, from, to }: LocalChanges, git: Git): Promise<string[]> {
  const options = ['-r', '-z', '--name-only', '--no-renames', '--diff-filter=A'];
  return (await git.run(folder, ['diff-tree', ...options, from, to])).split('\0').filter(Boolean);
}

/** The file at the path, or in place of a folder above it, or all in a folder at the path. Links are not followed. */
function standingAt(folder: string, path: string): string[] {
  const parts = path.split('/');
  for (let length = 1; length <= parts.length; length += 1) {
    const part = parts.slice(0, length).join('/');
    const stats = lstatSync(join(folder, part), { throwIfNoEntry: false });
    if (!stats) return [];
    if (!stats.isDirectory()) return stats.isFile() || stats.isSymbolicLink() ? [part] : [];
  }
  return filesIn(folder, path);
}

function filesIn(folder: string, path: string): string[] {
  return readdirSync(join(folder, path), { withFileTypes: true }).flatMap((entry) => {
    const below = `${path}/${entry.name}`;
    if (entry.isDirectory()) return isKept(below) ? filesIn(folder, below) : [];
    return entry.isFile() || entry.isSymbolicLink() ? [below] : [];
  });
}

const isKept = (path: string): boolean => !['.git', ...CACHES].some((name) => `/${path}`.endsWith(`/${name}`));

/** By a file: there may be more paths than fit into an argument list. */
async function addToIndex(paths: string[], folder: string, index: string, git: Git): Promise<void> {
  const list = `${index}.paths`;
  writeFileSync(list, paths.map((path) => `:(literal)${path}`).join('\0'));
  try {
    await git.run(folder, ['add', '--force', `--pathspec-from-file=${list}`, '--pathspec-file-nul']);
  } finally {
    rmSync(list, { force: true });
  }
}
