import { existsSync } from 'node:fs';
import { Failure } from '../../../contracts/failure.js';
import type { GitAccess } from '../../../contracts/operations.js';
import { hostPort, parseRepositoryUrl } from '../../../contracts/repository-url.js';
import { shortened } from '../../../machine/bounded.js';
import { recoverSubmodule } from './git-folder.js';
import type { GitThread } from './git.js';
import { openRemote } from './remote.js';
import { gitOf, type Repository } from './repository.js';
import { checkOutSubmodule, fetchCommit, makeSubmodule } from './submodule.js';
import { submodulesOf, type Submodule } from './submodule-list.js';

interface Superproject {
  repository: Repository;
  /** Canonical URL that relative ones are resolved against. */
  url: string;
  access: GitAccess;
  /** Commits of history; 0 is all of it. */
  depth: number;
}

const MAX_NESTING = 5;
/** Of one operation, nested ones among them: each costs a look at its host. */
const MAX_SUBMODULES = 500;

/**
 * Fetches the submodules of what is checked out, nested ones too, and moves them to the commits that it names. Each one's
 * URL is judged as a repository's own is; git alone would fetch from anywhere, this machine's files included.
 * Returns a warning for each that could not be had; only an abort rejects. `budget` is how many may still be fetched.
 */
export async function populateSubmodules(
  superproject: Superproject,
  thread: GitThread,
  nesting = 1,
  budget = { left: MAX_SUBMODULES },
): Promise<string[]> {
  const { repository, url, depth } = superproject;
  const warnings: string[] = [];
  const submodules = await submodulesOf(repository, thread).catch((error: unknown) => {
    thread.signal.throwIfAborted();
    warnings.push(`submodules: none was fetched: ${Failure.of(error).message}`);
    return [];
  });
  for (const submodule of submodules) {
    if (budget.left === 0) return [...warnings, `submodules: none was fetched beyond the first ${MAX_SUBMODULES}`];
    budget.left -= 1;
    try {
      if (nesting > MAX_NESTING) throw new Failure('GIT_FAILED', `nested more than ${MAX_NESTING} levels deep`);
      const absoluteUrl = resolveUrl(submodule.url, url);
      const access = accessTo(absoluteUrl, superproject);
      const place = { repository, url: absoluteUrl, access, depth };
      const nested = { ...place, repository: await fetchSubmodule(submodule, place, thread) };
      warnings.push(...(await populateSubmodules(nested, thread, nesting + 1, budget)));
    } catch (error) {
      thread.signal.throwIfAborted();
      warnings.push(shortened(`submodules: ${submodule.path} was not fetched: ${Failure.of(error).message}`));
    }
  }
  return warnings;
}

async function fetchSubmodule(
  { name, path, commit }: Submodule,
  { repository: above, url, access, depth }: Superproject,
  thread: GitThread,
): Promise<Repository> {
  thread.log.write('system', [shortened(`Submodule ${path}: ${commit}`)]);
  const repository = await recoverSubmodule(above, { name, path });
  const remote = await openRemote(url, access, thread);
  try {
    if (!existsSync(repository.gitFolder)) {
      await makeSubmodule(repository, commit, thread);
      await recoverSubmodule(above, { name, path });
    }
    // For those who use git in the submodule; the station itself goes by the URL that it has checked.
    await gitOf(above, thread).run(above.root, ['config', `submodule.${name}.url`, remote.url]);
    await gitOf(repository, thread).run(above.root, ['config', 'remote.origin.url', remote.url]);
    await fetchCommit(repository, { commit, depth, remote }, thread);
  } finally {
    await remote.dispose();
  }
  await checkOutSubmodule(repository, { above, path, commit }, thread);
  return repository;
}

/** Credentials are for the host that they were given for. */
function accessTo(url: string, { url: superUrl, access }: Superproject): GitAccess {
  const [one, other] = [parseRepositoryUrl(url), parseRepositoryUrl(superUrl)];
  const isSameHost = one.protocol === other.protocol && hostPort(one) === hostPort(other);
  const credentials = one.credentials ?? (isSameHost ? access.credentials : undefined);
  return { ...access, credentials };
}

/** `../lib.git` of `https://host/owner/app` is `https://host/owner/lib.git`. */
function resolveUrl(url: string, base: string): string {
  if (!/^\.\.?\//.test(url)) return url;
  let [rest, parent, separator] = [url, base, '/'];
  for (; /^\.\.?\//.test(rest); rest = rest.slice(rest.indexOf('/') + 1)) {
    if (rest.startsWith('./')) continue;
    const end = Math.max(parent.lastIndexOf('/'), parent.lastIndexOf(':'));
    separator = parent.charAt(end);
    parent = parent.slice(0, end);
  }
  return `${parent}${separator}${rest}`;
}
