import { join } from 'node:path';
import { Failure } from '../../../contracts/failure.js';
import { boundedWarnings } from '../../../machine/bounded.js';
import { installDependencies } from '../package-manager/install-dependencies.js';
import { removeEscapingLinks } from '../package-manager/escaping-links.js';
import type { Handler } from '../operation-thread.js';
import { provideToolchain } from '../toolchain/toolchain.js';
import { DEPENDENCY_FILES, dependencyFingerprint } from '../project/fingerprint.js';
import { readPackageJson } from '../project/manifest.js';
import { keepDependencies } from '../update/kept-dependencies.js';
import { removeJournal } from '../update/update-journal.js';
import { isPipe } from '../workspace/is-pipe.js';

const MAX_SCRIPTS_NOT_RUN = 1_000;

/** Provides the tools that the repository asks for, and installs its dependencies with them. */
export const install: Handler<'install'> = async (input, thread) => {
  const startedAt = Date.now();
  const { workspace, staging } = thread.context.paths;
  const { production, ignoreScripts, strictEngines } = input;
  const manifest = readPackageJson(workspace);
  refusePipes(workspace);
  const removed = removeEscapingLinks(workspace);

  thread.progress('toolchain', null, 'choosing Node.js and package manager');
  const toolchain = await provideToolchain({
    workspace,
    manifest,
    packageManager: input.packageManager,
    strictEngines,
    access: input.toolchain,
    signal: thread.signal,
    onProgress: (tool) => thread.progress('toolchain', null, `fetching ${tool}`),
  });
  const { packageManager, node, nodePath, binPaths } = toolchain;
  thread.log.write('system', [
    `Node.js ${node.used}: ${node.why}`,
    `${packageManager.used} ${packageManager.version}: ${packageManager.why}`,
  ]);

  if (input.keepsPrevious) await keepDependencies(thread);
  const { frozen, scriptsNotRun, warnings } = await installDependencies(
    { production, ignoreScripts, strictEngines, toolchain, registry: input.toolchain.registry },
    thread,
  );
  // One that was asked for takes the tree as it is: no start undoes an update any more that could not be undone.
  if (!input.keepsPrevious) removeJournal(staging);
  const { name: _name, ...choice } = packageManager;
  return {
    result: {
      packageManager: choice,
      node,
      frozen,
      scriptsNotRun: scriptsNotRun.slice(0, MAX_SCRIPTS_NOT_RUN),
      durationMs: Date.now() - startedAt,
      warnings: boundedWarnings([
        ...removed.map((name) => `${name} was a link that led out of the repository, and was removed`),
        ...toolchain.warnings,
        ...warnings,
      ]),
    },
    record: { packageManager, node, nodePath, binPaths, fingerprint: dependencyFingerprint(workspace), production },
  };
};

/** Package managers open these files without a look at what they are. INSTALL_FAILED. */
function refusePipes(workspace: string): void {
  const pipe = DEPENDENCY_FILES.find((name) => isPipe(join(workspace, name)));
  if (pipe === undefined) return;
  throw new Failure('INSTALL_FAILED', `${pipe} is a named pipe, and the package manager would wait for it`, {
    suggestion: 'Update the repository to bring the file back, or have a script of the repository remove that pipe.',
  });
}
