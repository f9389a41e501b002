import type { RepositoryEntry } from '../../src/registry/repository-entry.js';

/** A secret that the entry holds. */
export const TOKEN = 'a-secret-token';

/** A repository that was cloned, of Ann's. */
export function entryOf(uid: string, repoId: string): RepositoryEntry {
  return {
    uid,
    repoId,
    owner: 'ann',
    visibility: 'private',
    workspace: repoId,
    depth: 1,
    eventSeq: 0,
    canonicalUrl: 'https://example.org/owner/app',
    repoUrl: 'https://example.org/owner/app',
    branch: 'main',
    refKind: 'branch',
    commit: null,
    state: 'cloned',
    stateReason: null,
    declaresDependencies: true,
    defaults: {},
    installed: null,
    app: null,
    appOperationId: null,
    appTree: null,
    isolated: null,
    isolation: { driver: 'none' },
    network: { mode: 'shared' },
    homeNode: 'here',
    epoch: 1,
    limits: { memoryMb: null, processes: null, diskMb: null, cpuWeight: null, enforcedBy: 'none' },
    runOptions: { env: { API_KEY: TOKEN } },
    credentials: { token: TOKEN },
    createdAt: 1,
    updatedAt: 1,
  };
}
