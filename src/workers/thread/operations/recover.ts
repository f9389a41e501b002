import { Git } from '../git/git.js';
import { recoverRepository } from '../git/git-folder.js';
import { readHead } from '../git/history.js';
import type { Handler } from '../operation-thread.js';
import { dependencyFingerprint } from '../project/fingerprint.js';
import { declaredDependencies } from '../project/manifest.js';

/** After an update that was cut off: makes the repository fit for git again, and tells where its tree stands now. */
export const recover: Handler<'recover'> = async ({ installedFingerprint }, thread) => {
  const { workspace } = thread.context.paths;
  await recoverRepository(workspace);
  const git = new Git(thread);
  const { commit } = await readHead(workspace, git);
  const branch = (await git.run(workspace, ['symbolic-ref', '--quiet', '--short', 'HEAD'])).trim();
  return {
    commit,
    branch: branch || null,
    declaresDependencies: declaredDependencies(workspace).declared,
    dependenciesChanged:
      installedFingerprint !== undefined && dependencyFingerprint(workspace) !== installedFingerprint,
  };
};
