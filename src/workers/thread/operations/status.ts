import { Failure } from '../../../contracts/failure.js';
import type { StatusOutput } from '../../../contracts/operations.js';
import { boundedWarnings } from '../../../machine/bounded.js';
import { readGitStatus } from '../git/git-status.js';
import type { Handler, OperationThread } from '../operation-thread.js';
import { findInside } from '../../../machine/process-tree.js';
import { diskBytes } from '../../../machine/disk-usage.js';
import { installedCount } from '../workspace/installed-count.js';
import { dependencyFingerprint } from '../project/fingerprint.js';
import { dependencyNames, readPackageJson } from '../project/manifest.js';
import { processUsage } from '../workspace/process-usage.js';

const NO_GIT: StatusOutput['git'] = {
  branch: null,
  commit: null,
  upstream: null,
  ahead: 0,
  behind: 0,
  clean: false,
  changed: [],
  untracked: 0,
};

/** Reads what is on disk and what runs. Changes nothing, runs none of the repository's code, and answers for any tree; SANDBOX_UNAVAILABLE. */
export const status: Handler<'status'> = async ({ installed, tree }, thread) => {
  const { workspace, home } = thread.context.paths;
  const warnings: string[] = [];
  const [git, bytes] = await Promise.all([
    gitOf(workspace, thread, warnings),
    diskBytes([workspace, home], thread.signal),
  ]);
  if (installed && installed.fingerprint !== dependencyFingerprint(workspace)) {
    warnings.push('The dependencies have changed since they were installed.');
  }
  return {
    git,
    package: packageOf(workspace, warnings),
    diskBytes: bytes,
    process: tree ? processUsage(findInside(tree)) : null,
    warnings: boundedWarnings(warnings),
  };
};

async function gitOf(workspace: string, thread: OperationThread, warnings: string[]): Promise<StatusOutput['git']> {
  try {
    return await readGitStatus(workspace, thread);
  } catch (error) {
    thread.signal.throwIfAborted();
    const failure = Failure.of(error);
    if (failure.code === 'SANDBOX_UNAVAILABLE') throw failure; // it says nothing of the repository
    warnings.push(failure.message);
    return NO_GIT;
  }
}

function packageOf(workspace: string, warnings: string[]): StatusOutput['package'] {
  try {
    const manifest = readPackageJson(workspace);
    const names = dependencyNames(manifest);
    const dependencies = { declared: names.length, installed: installedCount(workspace, names) };
    return { name: manifest.name ?? null, version: manifest.version ?? null, scripts: manifest.scripts, dependencies };
  } catch (error) {
    const { code, message } = Failure.of(error);
    if (code !== 'NO_PACKAGE_JSON') warnings.push(message);
    return null;
  }
}
