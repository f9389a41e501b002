import { existsSync } from 'node:fs';
import { Failure } from '../../../contracts/failure.js';
import { shortened } from '../../../machine/bounded.js';
import type { GitThread } from './git.js';
import { recoverSubmodule } from './git-folder.js';
import type { Repository } from './repository.js';
import { checkOutSubmodule } from './submodule.js';
import { submodulesOf } from './submodule-list.js';

/** Moves the submodules to the commits that HEAD names, as far as these are here already. */
export async function restoreSubmodules(above: Repository, thread: GitThread): Promise<void> {
  const submodules = await submodulesOf(above, thread).catch(() => []); // then none was fetched either
  for (const { name, path, commit } of submodules) {
    try {
      const repository = await recoverSubmodule(above, { name, path });
      if (!existsSync(repository.gitFolder)) continue;
      await checkOutSubmodule(repository, { above, path, commit }, thread);
      await restoreSubmodules(repository, thread);
    } catch (error) {
      thread.log.write('system', [shortened(`The submodule ${path} was not put back: ${Failure.of(error).message}`)]);
    }
  }
}
