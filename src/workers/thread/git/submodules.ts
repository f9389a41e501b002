import { existsSync, lstatSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../../../contracts/failure.js';
import type { GitAccess } from '../../../contracts/operations.js';
import { hostPort, parseRepositoryUrl } from '../../../contracts/repository-url.js';
import { shortened } from '../../../machine/bounded.js';
import { recoverSubmodule } from './git-folder.js';
import type { GitThread } from './git.js';
import { Git } from './git.js';
import { openRemote } from './remote.js';
import { submodulePaths } from './saved-changes.js';

interface Superproject {
  folder: string;
  /** Canonical URL that relative ones are resolved against. */
  url: string;
  access: GitAccess;
  /** Commits of history; 0 is all of it. */
  depth: number;
}

interface Submodule {
  name: string;
  path: string;
  url: string;
}

const MAX_NESTING = 5;
/** Of one operation, nested ones among them: each costs a look at its host. */
const MAX_SUBMODULES = 500;
const MAX_MODULES_BYTES = 1_000_000;

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
  const { folder, url, depth } = superproject;
  const warnings: string[] = [];
  const submodules = await submodulesOf(folder, thread).catch((error: unknown) => {
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
      await fetchSubmodule(submodule, { ...superproject, url: absoluteUrl, access }, thread);
      const nested = { folder: join(folder, submodule.path), url: absoluteUrl, access, depth };
      warnings.push(...(await populateSubmodules(nested, thread, nesting + 1, budget)));
    } catch (error) {
      thread.signal.throwIfAborted();
      warnings.push(shortened(`submodules: ${submodule.path} was not fetched: ${Failure.of(error).message}`));
    }
  }
  return warnings;
}

/**
 * Those that are checked out, by .gitmodules of the commit: in the working tree that may be a link to anywhere. What it
 * says of other paths counts for nothing. GIT_FAILED.
 */
export async function submodulesOf(folder: string, thread: GitThread): Promise<Submodule[]> {
  // What is checked out is there as a file: most repositories have none, and are not asked.
  if (!lstatSync(join(folder, '.gitmodules'), { throwIfNoEntry: false })) return [];
  const git = new Git(thread);
  const [, size] = (await git.run(folder, ['ls-tree', '--long', 'HEAD', '--', '.gitmodules'])).match(/ (\d+)\t/) ?? [];
  if (size === undefined) return [];
  if (Number(size) > MAX_MODULES_BYTES) throw new Failure('GIT_FAILED', '.gitmodules is too large');
  const paths = new Set(await submodulePaths(folder, git));
  if (paths.size === 0) return [];
  const pattern = String.raw`^submodule\..*\.(path|url)$`;
  const output = await git.run(folder, ['config', '--blob', 'HEAD:.gitmodules', '-z', '--get-regexp', pattern]);
  const found = new Map<string, Partial<Submodule>>();
  for (const entry of output.split('\0')) {
    const [, name, field, value] = /^submodule\.(.*)\.(path|url)\n(.*)$/s.exec(entry) ?? [];
    if (name && field) found.set(name, { ...found.get(name), name, [field]: value });
  }
  return [...found.values()].filter((one): one is Submodule => Boolean(one.path && one.url && paths.has(one.path)));
}

async function fetchSubmodule({ name, path }: Submodule, from: Superproject, thread: GitThread): Promise<void> {
  const { folder, url, access, depth } = from;
  recoverSubmodule(folder, { name, path });
  const remote = await openRemote(url, access, thread);
  try {
    // Set here, it is not taken from .gitmodules again; an older clone of the submodule has one of its own.
    await remote.git.run(folder, ['config', `submodule.${name}.url`, remote.url]);
    if (existsSync(join(folder, path, '.git'))) {
      await remote.git.run(join(folder, path), ['remote', 'set-url', 'origin', remote.url]);
    }
    const update = (...options: string[]) =>
      remote.git.run(folder, ['submodule', 'update', '--checkout', '--progress', ...options, '--', path]);
    if (depth === 0) await update();
    // Hosts that speak an old protocol do not give single commits away.
    else await update('--depth', String(depth)).catch(() => update());
  } finally {
    remote.dispose();
  }
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
