import type { UpdateOutput } from '../../../contracts/operations.js';
import type { Git } from './git.js';

const MAX_PATHS = 1_000;
const MAX_COMMITS = 100;
const FIELDS = ['%H', '%s', '%an', '%ct'];

/** What `to` has that `from` has not. In a shallow repository the commits may end before they meet. */
export async function describeChanges(
  folder: string,
  from: string,
  to: string,
  git: Git,
): Promise<Pick<UpdateOutput, 'changedFiles' | 'changedFileCount' | 'commits'>> {
  const diff = await git.run(folder, ['diff-tree', '-r', '-z', '--name-only', '--no-renames', from, to]);
  const files = diff.split('\0').filter(Boolean);
  const format = `--format=${FIELDS.map((field) => `${field}%x00`).join('')}`;
  const log = await git.run(folder, ['log', format, `--max-count=${MAX_COMMITS}`, `${from}..${to}`]);
  const fields = log.split('\0');
  const commits: UpdateOutput['commits'] = [];
  for (let at = 0; at + FIELDS.length < fields.length; at += FIELDS.length) {
    const [commit = '', subject = '', author = '', seconds] = fields.slice(at, at + FIELDS.length);
    commits.push({ commit: commit.trim(), subject, author, time: Number(seconds) * 1000 });
  }
  return { changedFiles: files.slice(0, MAX_PATHS), changedFileCount: files.length, commits };
}
