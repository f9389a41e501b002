import type { StationConfig } from '../../config/config.js';
import type { GitAccess } from '../../contracts/operations.js';
import type { RepositoryEntry } from '../../registry/repository-entry.js';

export function gitAccess(config: StationConfig, entry: RepositoryEntry): GitAccess {
  return {
    credentials: entry.credentials ?? undefined,
    allowedHosts: [...config.gitAllowedHosts],
    knownHosts: config.gitKnownHosts,
  };
}
