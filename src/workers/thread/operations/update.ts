import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { UpdateInput, UpdateOutput } from '../../../contracts/operations.js';
import { Git, type GitThread } from '../git/git.js';
import { lfsWarnings } from '../git/lfs.js';
import { missingRef } from '../git/missing-ref.js';
import { openRemote, type Remote } from '../git/remote.js';
import { useSafeConfig } from '../git/safe-config.js';
import { saveLocalChanges } from '../git/saved-changes.js';
import { populateSubmodules } from '../git/submodules.js';
import type { Handler, OperationThread } from '../operation-thread.js';
import { declaredDependencies, dependencyFingerprint } from '../workspace/manifest.js';

const MAX_PATHS = 1_000;
const MAX_COMMITS = 100;
const FIELD = '\u001f';

type Ref = Pick<UpdateOutput, 'branch' | 'refKind'>;

/** Moves the tree to where the tracked branch or tag is now; upstream wins, and nothing of one's own is lost. */
export const update: Handler<'update'> = async (input, thread) => {
  const { workspace } = thread.context.paths;
  useSafeConfig(workspace);
  removeLocks(join(workspace, '.git'));
  const remote = await openRemote(input.repoUrl, input.git, thread);
  try {
    const ref = await resolveRef(remote, input);
    const git = new Git(thread);
    const from = await commitOf(git, workspace, 'HEAD');
    const to = await fetchRef(remote, git, ref, workspace);
    const before = input.installedFingerprint ?? dependencyFingerprint(workspace);
    thread.signal.throwIfAborted();
    thread.progress('checkout', null, `moving to ${to.slice(0, 12)}`);
    const savedRef = await moveTree(thread, ref, from, to);
    const warnings = await completeTree(remote, input, thread);
    const hasMoved = from !== to || savedRef !== undefined;
    const { declared, warnings: manifestWarnings } = declaredDependencies(workspace);
    return {
      repoUrl: remote.canonicalUrl,
      ...ref,
      from,
      to,
      ...(await changes(git, workspace, from, to)),
      dependenciesChanged: hasMoved && dependencyFingerprint(workspace) !== before,
      declaresDependencies: declared,
      ...(savedRef !== undefined && { savedRef }),
      warnings: [...manifestWarnings, ...warnings],
    };
  } finally {
    remote.dispose();
  }
};

/** No other operation can be changing the repository, so a lock is of a git that was killed. */
function removeLocks(gitFolder: string): void {
  for (const name of readdirSync(gitFolder)) if (name.endsWith('.lock')) rmSync(join(gitFolder, name));
}

/** Where to move: what was asked for, else what is tracked. GIT_BRANCH_NOT_FOUND names some that exist. */
async function resolveRef(remote: Remote, { branch, tracked }: UpdateInput): Promise<Ref> {
  const { branches, tags } = await remote.refs();
  const wanted = branch ?? tracked.branch;
  const isTag = branch === undefined ? tracked.refKind === 'tag' : !branches.has(branch);
  if (!(isTag ? tags : branches).has(wanted)) throw await missingRef(remote, wanted);
  return { branch: wanted, refKind: isTag ? 'tag' : 'branch' };
}

/** A shallow clone is not deepened: what comes is what lies between its tip and the new one. */
async function fetchRef(remote: Remote, git: Git, { branch, refKind }: Ref, folder: string): Promise<string> {
  const target = refKind === 'tag' ? `refs/tags/${branch}` : `refs/remotes/origin/${branch}`;
  const source = refKind === 'tag' ? target : `refs/heads/${branch}`;
  const options = ['--progress', '--force', '--no-tags', '--no-recurse-submodules', '--update-shallow'];
  await remote.git.run(folder, ['fetch', ...options, '--', remote.url, `+${source}:${target}`]);
  return commitOf(git, folder, target);
}

/** Not interrupted half-way: a cancel that comes now is too late. When it fails, the tree is put back. */
async function moveTree(thread: OperationThread, ref: Ref, from: string, to: string): Promise<string | undefined> {
  const { workspace } = thread.context.paths;
  const steady: GitThread = { ...thread, signal: new AbortController().signal };
  const git = new Git(steady);
  const head = (await git.run(workspace, ['rev-parse', '--symbolic-full-name', 'HEAD'])).trim();
  const savedRef = await saveLocalChanges(workspace, to, steady);
  try {
    if (ref.refKind === 'branch') await checkOutBranch(git, workspace, ref.branch, to);
    else await git.run(workspace, ['checkout', '--force', '--detach', to]);
    await git.run(workspace, ['reset', '--hard', to]); // ends a merge that somebody has begun, too
    return savedRef;
  } catch (error) {
    if (head.startsWith('refs/heads/')) await git.run(workspace, ['symbolic-ref', 'HEAD', head]);
    else await git.run(workspace, ['update-ref', '--no-deref', 'HEAD', from]);
    await git.run(workspace, ['reset', '--hard', savedRef ?? from]);
    if (savedRef !== undefined) await git.run(workspace, ['reset', '--mixed', from]);
    throw error;
  }
}

async function checkOutBranch(git: Git, workspace: string, branch: string, to: string): Promise<void> {
  await git.run(workspace, ['checkout', '--force', '-B', branch, to]);
  const fetched = `+refs/heads/${branch}:refs/remotes/origin/${branch}`;
  await git.run(workspace, ['config', 'remote.origin.fetch', fetched]);
  await git.run(workspace, ['branch', `--set-upstream-to=origin/${branch}`, branch]);
}

async function completeTree(remote: Remote, input: UpdateInput, thread: OperationThread): Promise<string[]> {
  const { workspace } = thread.context.paths;
  const depth = existsSync(join(workspace, '.git', 'shallow')) ? 1 : 0;
  const superproject = { folder: workspace, url: remote.canonicalUrl, access: input.git, depth };
  return [...(await lfsWarnings(workspace, new Git(thread))), ...(await populateSubmodules(superproject, thread))];
}

async function changes(
  git: Git,
  folder: string,
  from: string,
  to: string,
): Promise<Pick<UpdateOutput, 'changedFiles' | 'changedFileCount' | 'commits'>> {
  if (from === to) return { changedFiles: [], changedFileCount: 0, commits: [] };
  const names = (await git.run(folder, ['diff', '--name-only', '--no-renames', '-z', from, to])).split('\0');
  const files = names.filter((name) => name !== '');
  const format = `--format=${['%H', '%s', '%an', '%ct'].join(FIELD)}`;
  const log = await git.run(folder, ['log', format, '-z', `--max-count=${MAX_COMMITS}`, `${from}..${to}`]);
  const commits = log
    .split('\0')
    .filter((entry) => entry !== '')
    .map((entry) => {
      const [commit = '', subject = '', author = '', seconds = '0'] = entry.split(FIELD);
      return { commit, subject, author, time: Number(seconds) * 1000 };
    });
  return { changedFiles: files.slice(0, MAX_PATHS), changedFileCount: files.length, commits };
}

async function commitOf(git: Git, folder: string, ref: string): Promise<string> {
  return (await git.run(folder, ['rev-parse', '--verify', `${ref}^{commit}`])).trim();
}
