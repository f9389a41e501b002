import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { UpdateInput, UpdateOutput } from '../../../contracts/operations.js';
import type { Git } from './git.js';
import type { Commit } from './history.js';
import { missingRef } from './missing-ref.js';
import type { Remote } from './remote.js';

/** A branch or a tag of the remote. */
export type RemoteRef = Pick<UpdateOutput, 'branch' | 'refKind'>;

/** The ref, and the commit that the remote has it at. */
export interface FoundRef {
  ref: RemoteRef;
  commit: string;
}

/** Where the tree is to move: to what was asked for, else to what is tracked. GIT_BRANCH_NOT_FOUND names some that exist. */
export async function resolveRef(remote: Remote, { branch, tracked }: UpdateInput): Promise<FoundRef> {
  const { branches, tags } = await remote.refs();
  const wanted = branch ?? tracked.branch;
  const refKind = branch === undefined ? tracked.refKind : branches.has(branch) ? 'branch' : 'tag';
  const commit = (refKind === 'tag' ? tags : branches).get(wanted);
  if (commit === undefined) throw await missingRef(remote, wanted);
  return { ref: { branch: wanted, refKind }, commit };
}

interface Local {
  folder: string;
  head: Commit;
  /** By ref. */
  known: Map<string, string>;
}

/**
 * Fetches the ref into the repository's copy of it, and resolves with its commit. A shallow repository stays so: it is
 * given the history since its HEAD, which is what the update is about.
 */
export async function fetchRef(
  remote: Remote,
  { ref, commit }: FoundRef,
  { folder, head, known }: Local,
): Promise<string> {
  const { git, url } = remote;
  const copy = ref.refKind === 'tag' ? `refs/tags/${ref.branch}` : `refs/remotes/origin/${ref.branch}`;
  if (head.commit === commit && known.get(copy) === commit) return commit;
  await makeRoom(git, folder, copy, [...known.keys()]);
  const source = ref.refKind === 'tag' ? copy : `refs/heads/${ref.branch}`;
  const options = ['--progress', '--force', '--no-tags', '--no-recurse-submodules', '--no-write-fetch-head'];
  const fetch = (...history: string[]) =>
    git.run(folder, ['fetch', ...options, ...history, '--', url, `+${source}:${copy}`]);
  if (!existsSync(join(folder, '.git', 'shallow'))) await fetch();
  // Without a limit, a rewritten history would come whole. It may hold nothing newer, and a few hosts know no dates.
  else await fetch(`--shallow-since=@${head.time}`).catch(() => fetch('--depth=1'));
  return (await git.run(folder, ['rev-parse', '--verify', `${copy}^{commit}`])).trim();
}

/** Where the remote has one of two names that exclude each other, it has deleted the other. */
async function makeRoom(git: Git, folder: string, ref: string, names: string[]): Promise<void> {
  for (const name of names.filter((one) => excludeEachOther(one, ref))) {
    await git.run(folder, ['update-ref', '-d', name]);
  }
}

/** `a` and `a/b` cannot both exist. */
export const excludeEachOther = (one: string, other: string): boolean =>
  one.startsWith(`${other}/`) || other.startsWith(`${one}/`);
