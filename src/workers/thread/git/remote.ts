import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { GitAccess } from '../../../contracts/operations.js';
import { parseRepositoryUrl } from '../../../contracts/repository-url.js';
import { accessEnvironment, secretsOf } from './access-files.js';
import { Git, type GitThread } from './git.js';
import { locateRepository } from './locate-repository.js';
import { makeScratchFolder, removeScratchFolder } from '../workspace/scratch-folder.js';
import { listRefs, type RemoteRefs } from './remote-refs.js';

/** A repository on its host for the length of one operation: checked, pinned to its addresses, with credentials at hand. */
export interface Remote {
  /** What to give to git in place of a remote's name. Without credentials. */
  readonly url: string;
  /** The same, as it is shown and stored: another than asked for where the host redirected. */
  readonly canonicalUrl: string;
  /** That the host redirected, where it did. */
  readonly warnings: string[];
  /** Runs git commands that reach this remote, and no other. */
  readonly git: Git;
  /** The branches and tags that exist. */
  refs(): Promise<RemoteRefs>;
  /** Removes what the credentials left on disk. */
  dispose(): Promise<void>;
}

/**
 * INVALID_URL, GIT_HOST_NOT_ALLOWED, GIT_UNREACHABLE, GIT_AUTH_REQUIRED, GIT_REPOSITORY_NOT_FOUND; rejects with the reason
 * of the operation's abort. Dispose of it when git is done.
 */
export async function openRemote(url: string, access: GitAccess, thread: GitThread): Promise<Remote> {
  thread.progress('connecting', null, 'connecting to the Git host');
  const asked = parseRepositoryUrl(url);
  const place = await locateRepository(asked, access, thread.signal);
  const folder = makeScratchFolder(thread.context, 'access');
  const dispose = () => removeScratchFolder(folder);
  try {
    const { url: found, fetchUrl, config, credentials } = place;
    const environment = accessEnvironment(place, folder, access.knownHosts);
    thread.sandbox.giveAway(folder, ...readdirSync(folder).map((name) => join(folder, name)));
    const git = new Git(thread, { environment, config, secrets: secretsOf(credentials) });
    const isMoved = found.canonicalUrl !== asked.canonicalUrl;
    return {
      url: fetchUrl,
      canonicalUrl: found.canonicalUrl,
      warnings: isMoved ? [`The Git host redirects ${asked.canonicalUrl} to ${found.canonicalUrl}`] : [],
      git,
      refs: () => listRefs(git, fetchUrl, folder),
      dispose,
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}
