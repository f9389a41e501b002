import { existsSync, lstatSync } from 'node:fs';
import { join, relative } from 'node:path';
import { Failure } from '../../../contracts/failure.js';
import { putFile } from '../workspace/put-file.js';
import { Git, type GitThread } from './git.js';
import type { Remote } from './remote.js';
import { filesOf, gitOf, type Repository } from './repository.js';

const ALL_BRANCHES = '+refs/heads/*:refs/remotes/origin/*';
const SHA256_DIGITS = 64;

/** The empty git folder of a submodule that was never fetched. Not by `git clone`, which wants the tree as well. */
export async function makeSubmodule({ root, gitFolder }: Repository, commit: string, thread: GitThread): Promise<void> {
  const format = commit.length === SHA256_DIGITS ? ['--object-format=sha256'] : [];
  const git = new Git(thread);
  await git.run(root, ['init', '--quiet', '--bare', ...format, '--', gitFolder]);
  await git.run(gitFolder, ['config', 'remote.origin.fetch', ALL_BRANCHES]);
}

interface Wanted {
  commit: string;
  /** Commits of history; 0 is all of it. */
  depth: number;
  remote: Remote;
}

/** Fetches the commit where it is not here yet. What has the credentials neither reads nor writes the tree. GIT_FAILED. */
export async function fetchCommit(
  { gitFolder }: Repository,
  { commit, depth, remote }: Wanted,
  thread: GitThread,
): Promise<void> {
  const isHere = async () =>
    (await new Git(thread).run(gitFolder, ['rev-parse', '--quiet', '--verify', `${commit}^{commit}`])) !== '';
  const options = ['--progress', '--no-tags', '--no-recurse-submodules', '--no-write-fetch-head'];
  const fetch = (...args: string[]) => remote.git.run(gitFolder, ['fetch', ...options, ...args]);
  const alone = () => fetch(...(depth > 0 ? ['--depth', String(depth)] : []), '--', remote.url, commit);
  const all = () => fetch('--', remote.url, ALL_BRANCHES);
  let failure: unknown = new Failure('GIT_FAILED', `The host does not have the commit ${commit}`);
  // Hosts that speak an old protocol do not give single commits away.
  for (const attempt of depth > 0 ? [alone, all] : [all, alone]) {
    thread.signal.throwIfAborted();
    if (await isHere()) return;
    await attempt().catch((error: unknown) => {
      failure = error;
    });
  }
  if (!(await isHere())) throw failure;
}

interface Place {
  above: Repository;
  /** Relative to the files of `above`. */
  path: string;
  commit: string;
}

/** Moves the files of a submodule to a commit that is here. Its `.git` in the tree is for others: an app may exchange it. */
export async function checkOutSubmodule(
  repository: Repository,
  { above, path, commit }: Place,
  thread: GitThread,
): Promise<void> {
  const { root, gitFolder } = repository;
  const files = filesOf(repository);
  const git = gitOf(repository, thread);
  const pointer = join(repository.path, '.git');
  const isThere = existsSync(join(gitFolder, 'index')) && lstatSync(join(root, pointer), { throwIfNoEntry: false });
  if (!existsSync(files)) await gitOf(above, thread).run(root, ['checkout-index', '--', path]);
  if (!isThere || (await git.run(root, ['rev-parse', 'HEAD'])).trim() !== commit) {
    await git.run(root, [
      'checkout',
      '--quiet',
      '--progress',
      '--detach',
      ...(isThere ? [] : ['--force']),
      commit,
      '--',
    ]);
  }
  await putFile(root, pointer, `gitdir: ${relative(files, gitFolder)}\n`, thread);
}
