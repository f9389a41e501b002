import { Failure } from '../../../contracts/failure.js';
import type { SettleOutput } from '../../../contracts/operations.js';
import { readHead } from '../git/history.js';
import { putTreeBack } from '../git/put-tree-back.js';
import { withReadOnlyView } from '../git/read-only-view.js';
import type { Handler, OperationThread } from '../operation-thread.js';
import { hasInstallScripts } from '../project/fingerprint.js';
import { KeptDependencies } from '../update/kept-dependencies.js';
import { removeFolders } from '../../../machine/remove-folders.js';
import { readJournal, removeJournal, updateFolder, type UpdateJournal } from '../update/update-journal.js';

const UNTOUCHED: SettleOutput = { commit: null, dependencies: 'untouched', build: 'untouched' };

/**
 * Ends an update: one that is accepted leaves nothing in the staging folder, of any other the tree and what was installed
 * are put back. That needs neither network nor package manager, and may be begun anew when it was cut off or has failed;
 * also when the old version is built once more in between.
 */
export const settle: Handler<'settle'> = async ({ accepted, rebuilds, mayTryAgain, removesNew = false }, thread) => {
  const { staging } = thread.context.paths;
  const journal = accepted ? undefined : readJournal(staging);
  const output = journal ? await putBack(journal, removesNew, thread) : UNTOUCHED;
  if ((mayTryAgain && output.failure) || (rebuilds && output.build === 'lost')) return output;
  removeJournal(staging);
  // What is not removed now the next update removes, or the next start of the server.
  await removeFolders([updateFolder(staging)], thread.signal).catch((error: Error) =>
    thread.log.write('system', [error.message]),
  );
  return output;
};

async function putBack({ moved }: UpdateJournal, removesNew: boolean, thread: OperationThread): Promise<SettleOutput> {
  const { log } = thread;
  const { paths } = thread.context;
  const text = `Putting ${moved.from} back in place of ${moved.to}`;
  thread.progress('rolling back', null, text);
  log.write('system', [text]);
  const kept = KeptDependencies.of(paths);
  if (removesNew) await kept?.removeAllNew().catch((error: Error) => log.write('system', [error.message]));
  const isMoreChanged = kept?.isMoreChanged ?? false;
  let failure: Failure | undefined;
  // The tree comes last, as some repositories track what is installed; but it brings the folders of lost members back.
  try {
    kept?.removeNew();
    kept?.restore();
    await putTreeBack(paths.workspace, moved, thread);
    kept?.restore();
  } catch (error) {
    failure = Failure.of(error);
    log.write('system', [`The tree was not put back: ${failure.message}`]);
  }
  const head = await withReadOnlyView(paths.workspace, thread, (git) => readHead(paths.workspace, git)).catch(
    () => null,
  );
  const dependencies = !kept ? 'untouched' : kept.isWhole && !failure ? 'restored' : 'lost';
  // Dependencies that are lost are installed again, which builds as well.
  const isBuildLost = isMoreChanged && dependencies === 'restored' && hasInstallScripts(paths.workspace);
  return {
    failure: failure?.toData(),
    commit: head?.commit ?? null,
    dependencies,
    build: isBuildLost ? 'lost' : 'untouched',
  };
}
