import { lstatSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readInside, UnreadableFile } from '../../../machine/read-inside.js';
import { removeFolders } from '../../../machine/remove-folders.js';

/** What tells how a repository is stored and what it follows. Nothing in here names a program, a host's proxy or a folder. */
const KEPT_SECTIONS = /^\[(core|extensions|remote "origin"|branch "[^"\\]*"|submodule "[^"\\]*")\]$/i;
const KEPT_KEYS =
  /^\s*(repositoryformatversion|filemode|ignorecase|symlinks|precomposeunicode|logallrefupdates|objectformat|refstorage|url|fetch|remote|merge|active)\s*=/i;

const MAX_BYTES = 1_000_000;

/**
 * The harmless part of a repository's own configuration. An app or an install script of the repository may have planted
 * filters, fsmonitor, hooks or an sshCommand there, which would run at the next git command.
 */
export function safeConfig(gitFolder: string): string {
  const lines: string[] = [];
  let isKept = false;
  for (const line of readConfig(gitFolder).split('\n')) {
    const isSection = line.trimStart().startsWith('[');
    if (isSection) isKept = KEPT_SECTIONS.test(line.trim());
    // A line that goes on in the next one could make a key of what is none.
    if (isKept && !line.endsWith('\\') && (isSection || KEPT_KEYS.test(line))) lines.push(line);
  }
  return `${lines.join('\n')}\n`;
}

/** Rewrites the configuration before git reads it. `worktree` is where a submodule's files are, relative to `gitFolder`. */
export async function useSafeConfig(gitFolder: string, worktree?: string): Promise<void> {
  const [next, config] = [join(gitFolder, 'config.safe'), join(gitFolder, 'config')];
  const ownWorktree = worktree === undefined ? '' : `[core]\n\tworktree = ${JSON.stringify(worktree)}\n`;
  const text = safeConfig(gitFolder) + ownWorktree;
  await removeFolders([next]);
  writeFileSync(next, text, { flag: 'wx' });
  if (lstatSync(config, { throwIfNoEntry: false })?.isDirectory()) await removeFolders([config]);
  renameSync(next, config);
}

function readConfig(gitFolder: string): string {
  try {
    return readInside(gitFolder, 'config', MAX_BYTES)?.toString('utf8') ?? '';
  } catch (error) {
    if (error instanceof UnreadableFile) return ''; // git goes by its defaults
    throw error;
  }
}
