import { join } from 'node:path';
import { Git, type GitThread } from './git.js';

/** A repository with a working tree: what was docked, or a submodule, however deep. */
export interface Repository {
  /** The folder of what was docked, which no app can exchange. */
  root: string;
  /** Where its files are, relative to `root`. An app may have exchanged that. */
  path: string;
  /** In the `.git` of `root`, which apps can read only. */
  gitFolder: string;
}

export const dockedAt = (root: string): Repository => ({ root, path: '', gitFolder: join(root, '.git') });

/** Where its files are. */
export const filesOf = ({ root, path }: Repository): string => join(root, path);

/**
 * To be run in `root`. git does not look for the repository: in the tree it would find what an app has put there, and run
 * the programs that its configuration names.
 */
export const gitOf = (repository: Repository, thread: GitThread): Git =>
  new Git(thread, { environment: { GIT_DIR: repository.gitFolder, GIT_WORK_TREE: filesOf(repository) } });
