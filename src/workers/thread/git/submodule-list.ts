import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../../../contracts/failure.js';
import type { GitThread } from './git.js';
import { entriesOf, submodulesAmong } from './index-entries.js';
import { filesOf, gitOf, type Repository } from './repository.js';

export interface Submodule {
  name: string;
  path: string;
  url: string;
  /** That the repository above names. */
  commit: string;
}

const MAX_MODULES_BYTES = 1_000_000;

/**
 * Those that are checked out, by .gitmodules of the commit: in the working tree that may be a link to anywhere. What it
 * says of other paths counts for nothing. GIT_FAILED.
 */
export async function submodulesOf(repository: Repository, thread: GitThread): Promise<Submodule[]> {
  // What is checked out is there as a file: most repositories have none, and are not asked.
  if (!lstatSync(join(filesOf(repository), '.gitmodules'), { throwIfNoEntry: false })) return [];
  const git = gitOf(repository, thread);
  const { root } = repository;
  const [, size] = (await git.run(root, ['ls-tree', '--long', 'HEAD', '--', '.gitmodules'])).match(/ (\d+)\t/) ?? [];
  if (size === undefined) return [];
  if (Number(size) > MAX_MODULES_BYTES) throw new Failure('GIT_FAILED', '.gitmodules is too large');
  const commits = submodulesAmong(await entriesOf(root, git));
  if (commits.size === 0) return [];
  const pattern = String.raw`^submodule\..*\.(path|url)$`;
  const output = await git.run(root, ['config', '--blob', 'HEAD:.gitmodules', '-z', '--get-regexp', pattern]);
  const found = new Map<string, { path?: string; url?: string }>();
  for (const entry of output.split('\0')) {
    const [, name, field, value] = /^submodule\.(.*)\.(path|url)\n(.*)$/s.exec(entry) ?? [];
    if (name && field) found.set(name, { ...found.get(name), [field]: value });
  }
  return [...found].flatMap(([name, { path = '', url }]) => {
    const commit = commits.get(path);
    return commit && url ? [{ name, path, url, commit }] : [];
  });
}
