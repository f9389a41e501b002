import type { RepositoryEntry } from './repository-entry.js';

/** Which repositories there are. A port: its token is this class; the SQL implementation stands beside it. */
export abstract class RepositoryRegistry {
  /** Rejects with ALREADY_LOADED or REPO_ID_TAKEN when owner and repoId are taken: the database decides races. */
  abstract insert(entry: RepositoryEntry): Promise<void>;
  abstract find(uid: string): Promise<RepositoryEntry | undefined>;
  abstract findByRepoId(repoId: string): Promise<RepositoryEntry[]>;
  /** The oldest first, as in `listOf`. */
  abstract list(): Promise<RepositoryEntry[]>;
  abstract listOf(owner: string): Promise<RepositoryEntry[]>;
  /**
   * Applies `changes`, or what these are by the entry as it is when its turn has come, and writes row and manifest, on a
   * full disk as soon as there is space; resolves to the whole entry, or undefined when it is gone.
   */
  abstract update(
    uid: string,
    changes: Partial<RepositoryEntry> | ((before: RepositoryEntry) => Partial<RepositoryEntry>),
  ): Promise<RepositoryEntry | undefined>;
  abstract remove(uid: string): Promise<void>;
}
