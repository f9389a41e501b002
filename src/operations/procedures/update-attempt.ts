import type { InstallRecord, UpdateOutput } from '../../contracts/operations.js';
import type { RepositoryEntry } from '../../registry/repository-entry.js';

/** An update whose new version is being tried. */
export interface Attempt {
  /** The repository before the update, its app running. */
  before: RepositoryEntry;
  output: UpdateOutput;
  /** How far it has come. */
  step: 'install' | 'stop' | 'start' | 'health';
  /** What the new version runs with. */
  installed: InstallRecord | null;
}

/** What the registry is to say of the version that an update has moved to. */
export function factsOf(
  output: UpdateOutput,
): Pick<RepositoryEntry, 'repoUrl' | 'branch' | 'refKind' | 'declaresDependencies' | 'commit'> {
  const { repoUrl, branch, refKind, declaresDependencies, to } = output;
  return { repoUrl, branch, refKind, declaresDependencies, commit: to };
}
