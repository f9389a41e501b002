import { appendFileSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Failure } from '../../../contracts/failure.js';
import type { CloneInput, CloneOutput } from '../../../contracts/operations.js';
import { Git } from '../git/git.js';
import { lfsWarnings } from '../git/lfs.js';
import { missingRef } from '../git/missing-ref.js';
import { openRemote, type Remote } from '../git/remote.js';
import { populateSubmodules } from '../git/submodules.js';
import type { Handler, OperationThread } from '../operation-thread.js';
import { findTree, killTree } from '../process-tree.js';
import { declaredDependencies } from '../workspace/manifest.js';

/** The readable copy of the manifest that the station puts into each workspace. */
const MANIFEST_FILE = '.mcp-isolation.json';

/** Clones into the staging folder; the workspace exists only once the clone is whole. A failure leaves neither. */
export const clone: Handler<'clone'> = async (input, thread) => {
  const { staging, workspace } = thread.context.paths;
  rmSync(staging, { recursive: true, force: true }); // of a server that was killed
  mkdirSync(dirname(staging), { recursive: true });
  const remote = await openRemote(input.repoUrl, input.git, thread);
  try {
    const commit = await fetchRepository(remote, input, thread);
    const output = await describe(remote, commit, input, thread);
    thread.signal.throwIfAborted();
    mkdirSync(dirname(workspace), { recursive: true });
    renameSync(staging, workspace);
    return output;
  } catch (error) {
    // What still writes would make the folder anew.
    await killTree(() => findTree({ marker: thread.context.marker }));
    rmSync(staging, { recursive: true, force: true, maxRetries: 3 });
    throw error;
  } finally {
    remote.dispose();
  }
};

/** Resolves with the commit that is checked out. GIT_BRANCH_NOT_FOUND, with some that exist; EMPTY_REPOSITORY. */
async function fetchRepository(
  remote: Remote,
  { branch, depth }: CloneInput,
  thread: OperationThread,
): Promise<string> {
  const { staging } = thread.context.paths;
  const options = [
    ...(depth > 0 ? ['--depth', String(depth)] : []),
    ...(branch === undefined ? [] : ['--branch', branch]),
  ];
  try {
    await remote.git.run(dirname(staging), ['clone', '--progress', ...options, '--', remote.url, staging]);
  } catch (error) {
    if (error instanceof Failure && error.code === 'GIT_BRANCH_NOT_FOUND') throw await missingRef(remote, branch);
    throw error;
  }
  const commit = await remote.git.run(staging, ['rev-parse', '--verify', '--quiet', 'HEAD^{commit}']);
  if (commit === '') throw await missingRef(remote, undefined);
  return commit.trim();
}

async function describe(
  remote: Remote,
  commit: string,
  { branch, depth, git: access }: CloneInput,
  thread: OperationThread,
): Promise<CloneOutput> {
  const { staging } = thread.context.paths;
  const git = new Git(thread);
  const head = (await git.run(staging, ['symbolic-ref', '--quiet', '--short', 'HEAD'])).trim();
  const isTracked = (await git.run(staging, ['ls-files', '--', MANIFEST_FILE])) !== '';
  excludeManifest(staging);
  const superproject = { folder: staging, url: remote.canonicalUrl, access, depth };
  const { declared, warnings } = declaredDependencies(staging);
  return {
    repoUrl: remote.canonicalUrl,
    branch: head || (branch ?? 'HEAD'),
    refKind: head ? 'branch' : 'tag',
    commit,
    declaresDependencies: declared,
    warnings: [
      ...(isTracked ? [`${MANIFEST_FILE} is a file of the repository: the station leaves it alone`] : []),
      ...warnings,
      ...(await lfsWarnings(staging, git)),
      ...(await populateSubmodules(superproject, thread)),
    ],
  };
}

function excludeManifest(folder: string): void {
  const info = join(folder, '.git', 'info');
  mkdirSync(info, { recursive: true });
  appendFileSync(join(info, 'exclude'), `/${MANIFEST_FILE}\n`);
}
