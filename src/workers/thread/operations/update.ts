import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { UpdateInput, UpdateOutput } from '../../../contracts/operations.js';
import { fetchRef, resolveRef, type RemoteRef } from '../git/fetch-ref.js';
import { Git } from '../git/git.js';
import { recoverRepository } from '../git/git-folder.js';
import { describeChanges } from '../git/history.js';
import { lfsWarnings } from '../git/lfs.js';
import { moveTree } from '../git/move-tree.js';
import { openRemote, type Remote } from '../git/remote.js';
import { hasLocalCommits, type LocalChanges } from '../git/saved-changes.js';
import { populateSubmodules } from '../git/submodules.js';
import type { Handler, OperationThread } from '../operation-thread.js';
import { declaredDependencies, dependencyFingerprint } from '../workspace/manifest.js';

/**
 * Moves the tree to where the branch or tag is now: upstream wins, and what is overwritten is saved first. All that needs
 * the network comes before, but for submodules; when it fails or is cancelled, the tree is as it was.
 */
export const update: Handler<'update'> = async (input, thread) => {
  const { workspace } = thread.context.paths;
  recoverRepository(workspace);
  const remote = await openRemote(input.repoUrl, input.git, thread);
  try {
    const ref = await resolveRef(remote, input);
    const changes = await fetchChanges(remote, ref, thread);
    const before = input.installedFingerprint ?? dependencyFingerprint(workspace);
    thread.progress('checkout', null, `moving to ${changes.to.slice(0, 12)}`);
    const { savedRef, undo } = await moveTree(changes, ref, thread);
    try {
      const warnings = await completeTree(remote, input, thread);
      const output = await describe(changes, before, thread);
      return {
        ...output,
        repoUrl: remote.canonicalUrl,
        ...ref,
        ...(savedRef !== undefined && { savedRef }),
        warnings: [...output.warnings, ...warnings],
      };
    } catch (error) {
      await undo();
      throw error;
    }
  } finally {
    remote.dispose();
  }
};

async function fetchChanges(remote: Remote, ref: RemoteRef, thread: OperationThread): Promise<LocalChanges> {
  const folder = thread.context.paths.workspace;
  const git = new Git(thread);
  const from = (await git.run(folder, ['rev-parse', '--verify', 'HEAD^{commit}'])).trim();
  const localCommits = await hasLocalCommits(folder, git);
  return { folder, from, to: await fetchRef(remote, folder, ref, from), hasLocalCommits: localCommits };
}

/** Submodules, and a word on what is not there. */
async function completeTree(remote: Remote, { git: access }: UpdateInput, thread: OperationThread): Promise<string[]> {
  const { workspace } = thread.context.paths;
  const depth = existsSync(join(workspace, '.git', 'shallow')) ? 1 : 0;
  const superproject = { folder: workspace, url: remote.canonicalUrl, access, depth };
  return [...(await lfsWarnings(workspace, new Git(thread))), ...(await populateSubmodules(superproject, thread))];
}

async function describe(
  { folder, from, to }: LocalChanges,
  fingerprint: string,
  thread: OperationThread,
): Promise<Omit<UpdateOutput, 'repoUrl' | 'branch' | 'refKind' | 'savedRef'>> {
  const { declared, warnings } = declaredDependencies(folder);
  return {
    from,
    to,
    ...(await describeChanges(folder, from, to, new Git(thread))),
    dependenciesChanged: dependencyFingerprint(folder) !== fingerprint,
    declaresDependencies: declared,
    warnings,
  };
}
