import { linkSync, lstatSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { removeFile } from '../../../machine/remove-file.js';
import type { Git } from './git.js';
import { entriesOf, submodulesAmong } from './index-entries.js';
import { refusePipes } from './named-pipes.js';

/** What a package manager makes anew is never saved. */
const CACHES = ['node_modules', '.cache', '.npm', '.pnpm-store', '.yarn/cache', '.yarn/unplugged'];
const NO_CACHES = CACHES.map((path) => `:(exclude,glob)**/${path}/**`);

/** What a move of the tree is to save. */
export interface LocalChanges {
  folder: string;
  /** Where HEAD is. */
  from: string;
  fromTree: string;
  /** Paths that the move adds. */
  added: string[];
  /** Commits that were made here have no other place to be kept in. */
  hasLocalCommits: boolean;
}

export interface SavedChanges {
  savedRef?: string;
  /** Paths of the submodules of `from`. */
  submodules: string[];
}

/**
 * Makes a commit of what a move of the tree would overwrite: changed tracked files, and untracked ones that stand where
 * it adds some, or where tracked ones were. There is no ref when there was nothing to keep. `git` has an index of its own in the file `index`, which
 * holds these files afterwards, so that the move may take them away. GIT_FAILED.
 */
export async function saveLocalChanges(changes: LocalChanges, index: string, git: Git): Promise<SavedChanges> {
  const { folder, from } = changes;
  await refuseWaiting(changes, git);
  const submodules = await fillIndex(changes, index, git);
  // git would run by the configuration of a submodule to compare it.
  const noSubmodules = submodules.map((path) => `:(exclude,literal)${path}`);
  await addChanged(['.', ...NO_CACHES, ...noSubmodules], folder, index, git);
  const inTheWay = [...changes.added, ...(await deletedPaths(folder, from, git))]
    .filter((path) => !isCache(path) && !submodules.some((submodule) => path.startsWith(`${submodule}/`)))
    .flatMap((path) => standingAt(folder, path));
  if (inTheWay.length > 0) await runWithPaths(['add', '--force'], [...new Set(inTheWay)], folder, index, git);

  const tree = (await git.run(folder, ['write-tree'])).trim();
  if (tree === changes.fromTree && !changes.hasLocalCommits) return { submodules };
  const message = 'Local changes that an update has replaced';
  const commit = (await git.run(folder, ['commit-tree', tree, '-p', from, '-m', message])).trim();
  const savedRef = `refs/docking-station/saved/${new Date().toISOString().replaceAll(/[:.]/g, '-')}`;
  await git.run(folder, ['update-ref', savedRef, commit]);
  return { savedRef, submodules };
}

/** While a tree is being moved it is too late to say so. */
async function refuseWaiting({ folder, from, added }: LocalChanges, git: Git): Promise<void> {
  const tracked = await git.run(folder, ['ls-tree', '-r', '-d', '--name-only', '-z', from]);
  refusePipes(folder, [...tracked.split('\0'), ...added.map((path) => dirname(path))]);
}

/** git refuses to add anything where a file has become a pipe, a socket or a device: that file is taken for deleted. */
async function addChanged(paths: string[], folder: string, index: string, git: Git): Promise<void> {
  const add = () => git.run(folder, ['add', '--update', '--', ...paths]);
  try {
    await add();
  } catch (error) {
    const special = (await entriesOf(folder, git)).map(({ path }) => path).filter((path) => isSpecial(folder, path));
    if (special.length === 0) throw error;
    await runWithPaths(['rm', '--cached', '--force', '--quiet'], special, folder, index, git);
    await add();
  }
}

/** Of tracked files; something else may stand there now. */
async function deletedPaths(folder: string, from: string, git: Git): Promise<string[]> {
  const options = ['--cached', '--name-only', '--no-renames', '--diff-filter=D', '-z'];
  return (await git.run(folder, ['diff-index', ...options, from])).split('\0').filter(Boolean);
}

function isSpecial(folder: string, path: string): boolean {
  const stats = lstatSync(join(folder, path), { throwIfNoEntry: false });
  return stats !== undefined && !stats.isFile() && !stats.isSymbolicLink() && !stats.isDirectory();
}

/**
 * From the repository's own index, as that knows which files are unchanged without reading them. Made anew where it is
 * damaged, or has entries that git was told not to look at. Resolves with the paths of the submodules.
 */
async function fillIndex({ folder, from }: LocalChanges, index: string, git: Git): Promise<string[]> {
  removeFile(index);
  try {
    linkSync(join(folder, '.git', 'index'), index);
    await git.run(folder, ['read-tree', '--reset', from]);
    const entries = await entriesOf(folder, git);
    if (entries.every(({ isLookedAt }) => isLookedAt)) return [...submodulesAmong(entries).keys()];
  } catch {
    // There is none, or a damaged one, or no hard link to it: whatever else is wrong, the next command will say so.
  }
  removeFile(index);
  await git.run(folder, ['read-tree', from]);
  return [...submodulesAmong(await entriesOf(folder, git)).keys()];
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
    if (entry.isDirectory()) return entry.name === '.git' || isCache(below) ? [] : filesIn(folder, below);
    return entry.isFile() || entry.isSymbolicLink() ? [below] : [];
  });
}

const isCache = (path: string): boolean => CACHES.some((cache) => `/${path}/`.includes(`/${cache}/`));

/** By a file: there may be more paths than fit into an argument list. */
async function runWithPaths(
  command: string[],
  paths: string[],
  folder: string,
  index: string,
  git: Git,
): Promise<void> {
  const list = `${index}.paths`;
  writeFileSync(list, paths.map((path) => `:(literal)${path}`).join('\0'));
  try {
    await git.run(folder, [...command, `--pathspec-from-file=${list}`, '--pathspec-file-nul']);
  } finally {
    removeFile(list);
  }
}
