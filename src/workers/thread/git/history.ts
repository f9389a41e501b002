import type { UpdateOutput } from '../../../contracts/operations.js';
import { shortened } from '../../../machine/bounded.js';
import type { Git } from './git.js';

const MAX_COMMITS = 100;
const FIELDS = ['%H', '%s', '%an', '%ct'];

export interface Commit {
  commit: string;
  tree: string;
  /** Seconds since 1970, when it was committed. */
  time: string;
}

/** The commit that is checked out. GIT_FAILED where there is none. */
export async function readHead(folder: string, git: Git): Promise<Commit> {
  const format = '--format=%H %T %ct';
  const [commit = '', tree = '', time = ''] = (await git.run(folder, ['log', '-1', format, 'HEAD'])).trim().split(' ');
  return { commit, tree, time };
}

/** Commits that the remote has or had, by the refs that keep them here: its branches and all tags. */
export async function knownCommits(folder: string, git: Git): Promise<Map<string, string>> {
  const format = '--format=%(refname) %(objectname) %(*objectname)';
  const lines = (await git.run(folder, ['for-each-ref', format, 'refs/remotes', 'refs/tags'])).split('\n');
  return new Map(
    lines.filter(Boolean).map((line) => {
      const [name = '', object = '', peeled] = line.split(' ');
      return [name, peeled || object];
    }),
  );
}

/** Whether HEAD has commits that the remote never had. To be asked before a fetch, which forgets what the remote had. */
export async function hasLocalCommits(
  folder: string,
  { commit }: Commit,
  known: Map<string, string>,
  git: Git,
): Promise<boolean> {
  if ([...known.values()].includes(commit)) return false;
  return (await git.run(folder, ['rev-list', '--max-count=1', 'HEAD', '--not', '--remotes', '--tags'])) !== '';
}

export interface ChangedPath {
  path: string;
  isAdded: boolean;
}

/** Files and submodules in which two commits differ. */
export async function changedPaths(folder: string, from: string, to: string, git: Git): Promise<ChangedPath[]> {
  if (from === to) return [];
  const options = ['-r', '-z', '--name-status', '--no-renames'];
  const fields = (await git.run(folder, ['diff-tree', ...options, from, to])).split('\0');
  return fields.flatMap((path, at) => (at % 2 === 1 ? [{ path, isAdded: fields[at - 1] === 'A' }] : []));
}

/** Newest first, and no more than an update tells. In a shallow repository they may end before they meet `from`. */
export async function commitsBetween(
  folder: string,
  from: string,
  to: string,
  git: Git,
): Promise<UpdateOutput['commits']> {
  if (from === to) return [];
  const format = `--format=${FIELDS.map((field) => `${field}%x00`).join('')}`;
  const fields = (await git.run(folder, ['log', format, `--max-count=${MAX_COMMITS}`, `${from}..${to}`])).split('\0');
  const commits: UpdateOutput['commits'] = [];
  for (let at = 0; at + FIELDS.length < fields.length; at += FIELDS.length) {
    const [commit = '', subject = '', author = '', seconds] = fields.slice(at, at + FIELDS.length);
    const time = Number(seconds) * 1000;
    commits.push({ commit: commit.trim(), subject: shortened(subject), author: shortened(author), time });
  }
  return commits;
}
