import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../../../contracts/failure.js';
import { shortened } from '../../../machine/bounded.js';
import { Git, type GitThread } from './git.js';
import { recoverSubmodule } from './git-folder.js';
import { submodulesOf } from './submodules.js';

/** Moves the submodules to the commits that HEAD names, as far as these are here already. */
export async function restoreSubmodules(folder: string, thread: GitThread): Promise<void> {
  const submodules = await submodulesOf(folder, thread).catch(() => []); // then none was fetched either
  for (const { name, path } of submodules) {
    try {
      recoverSubmodule(folder, { name, path });
      if (!existsSync(join(folder, path, '.git'))) continue;
      await new Git(thread).run(folder, ['submodule', 'update', '--checkout', '--no-fetch', '--', path]);
      await restoreSubmodules(join(folder, path), thread);
    } catch (error) {
      thread.log.write('system', [shortened(`The submodule ${path} was not put back: ${Failure.of(error).message}`)]);
    }
  }
}
