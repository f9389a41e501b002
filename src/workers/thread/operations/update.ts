import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { UpdateInput, UpdateOutput } from '../../../contracts/operations.js';
import { boundedPaths, boundedWarnings } from '../../../machine/bounded.js';
import { fetchRef, resolveRef } from '../git/fetch-ref.js';
import { Git } from '../git/git.js';
import { recoverRepository } from '../git/git-folder.js';
import {
  changedPaths,
  commitsBetween,
  hasLocalCommits,
  knownCommits,
  readHead,
  type ChangedPath,
} from '../git/history.js';
import { lfsWarnings } from '../git/lfs.js';
import { moveTree, type MoveInput } from '../git/move-tree.js';
import { openRemote, type Remote } from '../git/remote.js';
import { dockedAt } from '../git/repository.js';
import { populateSubmodules } from '../git/submodules.js';
import type { Handler, OperationThread } from '../operation-thread.js';
import { dependencyFingerprint } from '../project/fingerprint.js';
import { declaredDependencies } from '../project/manifest.js';
import { removeFolders } from '../../../machine/remove-folders.js';
import { updateFolder, writeJournal } from '../update/update-journal.js';

/**
 * Moves the tree to where the branch or tag is now: upstream wins, and what is overwritten is saved first. What needs the
 * network comes before, but for submodules; when it fails or is cancelled, the tree is as it was. What it would take to
 * undo it later is kept in the staging folder until the update is settled.
 */
export const update: Handler<'update'> = async (input, thread) => {
  const { operationId, paths } = thread.context;
  const { workspace: folder, staging } = paths;
  await recoverRepository(folder);
  const remote = await openRemote(input.repoUrl, input.git, thread);
  try {
    const { move, changes, commits } = await fetchChanges(remote, input, thread);
    const fingerprint = input.installedFingerprint ?? dependencyFingerprint(folder);
    await removeFolders([updateFolder(staging)], thread.signal); // what an earlier one has left: it is given up now
    thread.progress('checkout', null, `moving to ${move.to.slice(0, 12)}`);
    const { savedRef, undo } = await moveTree(move, thread, (moved) =>
      writeJournal(staging, { operationId, restarts: input.restarts ?? false, moved }),
    );
    try {
      const warnings = await completeTree(remote, input, thread);
      await thread.checkLimits();
      thread.signal.throwIfAborted();
      const { declared, warnings: manifestWarnings } = declaredDependencies(folder);
      return {
        repoUrl: remote.canonicalUrl,
        ...move.ref,
        from: move.from,
        to: move.to,
        changedFiles: boundedPaths(changes.map(({ path }) => path)),
        changedFileCount: changes.length,
        commits,
        dependenciesChanged: dependencyFingerprint(folder) !== fingerprint,
        declaresDependencies: declared,
        ...(savedRef !== undefined && { savedRef }),
        warnings: boundedWarnings([...remote.warnings, ...manifestWarnings, ...warnings]),
      };
    } catch (error) {
      await undo();
      throw error;
    }
  } finally {
    await remote.dispose();
  }
};

interface FetchedChanges {
  move: MoveInput;
  changes: ChangedPath[];
  commits: UpdateOutput['commits'];
}

async function fetchChanges(remote: Remote, input: UpdateInput, thread: OperationThread): Promise<FetchedChanges> {
  const folder = thread.context.paths.workspace;
  // Without the index, which may be damaged: the move makes it anew.
  const git = new Git(thread, { environment: { GIT_INDEX_FILE: join(folder, '.git', 'index.none') } });
  const found = await resolveRef(remote, input);
  const head = await readHead(folder, git);
  const known = await knownCommits(folder, git);
  const localCommits = await hasLocalCommits(folder, head, known, git);
  const { ref } = found;
  const { commit: from, tree: fromTree } = head;
  const to = await fetchRef(remote, found, { folder, head, known });
  const changes = await changedPaths(folder, from, to, git);
  const added = changes.filter(({ isAdded }) => isAdded).map(({ path }) => path);
  return {
    move: { folder, ref, from, fromTree, to, added, hasLocalCommits: localCommits },
    changes,
    commits: await commitsBetween(folder, from, to, git),
  };
}

/** Submodules, and a word on what is not there. */
async function completeTree(remote: Remote, { git: access }: UpdateInput, thread: OperationThread): Promise<string[]> {
  const { workspace } = thread.context.paths;
  const depth = existsSync(join(workspace, '.git', 'shallow')) ? 1 : 0;
  const superproject = { repository: dockedAt(workspace), url: remote.canonicalUrl, access, depth };
  return [...(await lfsWarnings(workspace, new Git(thread))), ...(await populateSubmodules(superproject, thread))];
}
