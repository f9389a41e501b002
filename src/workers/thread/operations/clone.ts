import { appendFileSync, mkdirSync, renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Failure } from '../../../contracts/failure.js';
import type { CloneInput, CloneOutput } from '../../../contracts/operations.js';
import { READABLE_MANIFEST } from '../../../contracts/readable-manifest.js';
import { boundedWarnings } from '../../../machine/bounded.js';
import { Git } from '../git/git.js';
import { lfsWarnings } from '../git/lfs.js';
import { missingRef } from '../git/missing-ref.js';
import { openRemote, type Remote } from '../git/remote.js';
import { dockedAt } from '../git/repository.js';
import { populateSubmodules } from '../git/submodules.js';
import type { Handler, OperationThread } from '../operation-thread.js';
import { killTree } from '../../../machine/end-tree.js';
import { findTree } from '../../../machine/process-tree.js';
import { declaredDependencies } from '../project/manifest.js';
import { removeFolders } from '../../../machine/remove-folders.js';

/** Clones into the staging folder; the workspace exists only once the clone is whole. A failure leaves neither. */
export const clone: Handler<'clone'> = async (input, thread) => {
  const { workspace } = thread.context.paths;
  const tree = treeOf(thread);
  const remote = await openRemote(input.repoUrl, input.git, thread);
  try {
    await removeFolders([tree]); // of a server that was killed
    mkdirSync(tree);
    thread.sandbox.giveAway(tree);
    const commit = await fetchRepository(remote, input, thread);
    const output = await describe(remote, commit, input, thread);
    thread.signal.throwIfAborted();
    mkdirSync(dirname(workspace), { recursive: true });
    renameSync(tree, workspace);
    return output;
  } catch (error) {
    // What still writes would make the folder anew.
    await killTree(() => findTree({ marker: thread.context.marker }));
    await removeFolders([tree]).catch(() => undefined); // the next start tries again
    throw error;
  } finally {
    await remote.dispose();
  }
};

/** Where the clone grows. */
const treeOf = ({ context }: OperationThread): string => join(context.paths.staging, 'tree');

/** Resolves with the commit that is checked out. GIT_BRANCH_NOT_FOUND, with some that exist; EMPTY_REPOSITORY. */
async function fetchRepository(
  remote: Remote,
  { branch, depth }: CloneInput,
  thread: OperationThread,
): Promise<string> {
  const tree = treeOf(thread);
  const options = [
    ...(depth > 0 ? ['--depth', String(depth)] : []),
    ...(branch === undefined ? [] : ['--branch', branch]),
  ];
  try {
    await remote.git.run(tree, ['clone', '--no-checkout', '--progress', ...options, '--', remote.url, '.']);
  } catch (error) {
    if (error instanceof Failure && error.code === 'GIT_BRANCH_NOT_FOUND') throw await missingRef(remote, branch);
    throw error;
  }
  const commit = await remote.git.run(tree, ['rev-parse', '--verify', '--quiet', 'HEAD^{commit}']);
  if (commit === '') throw await missingRef(remote, undefined);
  // Without credentials: what writes files does not have them.
  await new Git(thread).run(tree, ['read-tree', '--verbose', '--reset', '-u', 'HEAD']);
  return commit.trim();
}

async function describe(
  remote: Remote,
  commit: string,
  { branch, depth, git: access }: CloneInput,
  thread: OperationThread,
): Promise<CloneOutput> {
  const tree = treeOf(thread);
  const git = new Git(thread);
  const head = (await git.run(tree, ['symbolic-ref', '--quiet', '--short', 'HEAD'])).trim();
  const isTracked = (await git.run(tree, ['ls-files', '--', READABLE_MANIFEST])) !== '';
  excludeManifest(tree);
  const superproject = { repository: dockedAt(tree), url: remote.canonicalUrl, access, depth };
  const { declared, warnings } = declaredDependencies(tree);
  return {
    repoUrl: remote.canonicalUrl,
    branch: head || (branch ?? 'HEAD'),
    refKind: head ? 'branch' : 'tag',
    commit,
    declaresDependencies: declared,
    warnings: boundedWarnings([
      ...remote.warnings,
      ...(isTracked ? [`${READABLE_MANIFEST} is a file of the repository: the station leaves it alone`] : []),
      ...warnings,
      ...(await lfsWarnings(tree, git)),
      ...(await populateSubmodules(superproject, thread)),
    ]),
  };
}

function excludeManifest(folder: string): void {
  const info = join(folder, '.git', 'info');
  mkdirSync(info, { recursive: true });
  appendFileSync(join(info, 'exclude'), `/${READABLE_MANIFEST}\n`);
}
