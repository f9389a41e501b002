import type { ActiveOperation, Repository } from '../contracts/shapes.js';
import type { RepositoryEntry } from '../registry/repository-entry.js';

/** A repository as every door shows it: without workspace, credentials and environment. */
export function repositoryView(entry: RepositoryEntry, activeOperation?: ActiveOperation): Repository {
  const { repoId, uid, repoUrl, branch, commit, state, owner, visibility, createdAt, updatedAt } = entry;
  const { isolation, network, limits, installed } = entry;
  return {
    repoId,
    uid,
    repoUrl,
    branch,
    commit,
    state,
    stateReason: entry.stateReason ?? undefined,
    activeOperation,
    owner,
    visibility,
    packageManager: installed && withoutName(installed.packageManager),
    node: installed?.node ?? null,
    isolation,
    network,
    limits,
    app: entry.app ?? undefined,
    createdAt,
    updatedAt,
  };
}

/** The name is for the station: `used` and `version` say it to callers. */
function withoutName<T extends { name: string }>({ name: _, ...shown }: T): Omit<T, 'name'> {
  return shown;
}
