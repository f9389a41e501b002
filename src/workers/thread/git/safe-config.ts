import { lstatSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Of the repository's own configuration, what tells how it is stored and what it follows, and nothing that runs a program. */
const KEPT_SECTIONS = /^\[(core|extensions|remote "origin"|branch "[^"\n]*"|submodule(?: "[^"\n]*")?)\]$/i;
const KEPT_KEYS =
  /^\s*(repositoryformatversion|filemode|bare|ignorecase|symlinks|precomposeunicode|logallrefupdates|objectformat|partialclone|url|fetch|tagopt|remote|merge|active)\s*=/i;

/**
 * Rewrites `.git/config` before git reads it. An app or an install script of the repository may have planted filters,
 * fsmonitor, hooks or an sshCommand there, which would run at the next git command.
 */
export function useSafeConfig(workspace: string): void {
  const file = join(workspace, '.git', 'config');
  const next = `${file}.safe`;
  const safe = isPlainFile(file) ? keep(readFileSync(file, 'utf8')) : '';
  rmSync(next, { force: true, recursive: true });
  writeFileSync(next, safe, { flag: 'wx' });
  if (!isPlainFile(file)) rmSync(file, { force: true, recursive: true });
  renameSync(next, file);
}

function keep(config: string): string {
  const lines: string[] = [];
  let kept = false;
  for (const line of config.split('\n')) {
    if (line.startsWith('[')) kept = KEPT_SECTIONS.test(line.trim());
    // A line that goes on in the next one could hide there what is not kept.
    if (kept && !line.endsWith('\\') && (line.startsWith('[') || KEPT_KEYS.test(line))) lines.push(line);
  }
  return `${lines.join('\n')}\n`;
}

function isPlainFile(path: string): boolean {
  try {
    return lstatSync(path).isFile();
  } catch {
    return false;
  }
}
