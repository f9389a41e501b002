import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { UpdateInput, UpdateOutput } from '../../../contracts/operations.js';
import type { Git } from './git.js';
import { missingRef } from './missing-ref.js';
import type { Remote } from './remote.js';

/** A branch or a tag of the remote. */
export type RemoteRef = Pick<UpdateOutput, 'branch' | 'refKind'>;

/** Where the tree is to move: to what was asked for, else to what is tracked. GIT_BRANCH_NOT_FOUND names some that exist. */
export async function resolveRef(remote: Remote, { branch, tracked }: UpdateInput): Promise<RemoteRef> {
  const { branches, tags } = await remote.refs();
  const wanted = branch ?? tracked.branch;
  const refKind = branch === undefined ? tracked.refKind : branches.has(branch) ? 'branch' : 'tag';
  if (!(refKind === 'tag' ? tags : branches).has(wanted)) throw await missingRef(remote, wanted);
  return { branch: wanted, refKind };
}

/**
 * Fetches the ref into the repository's copy of it, and resolves with its commit. A shallow repository stays so: it is
 * given the history since `time`, which is what the update is about.
 */
export async function fetchRef(remote: Remote, folder: string, ref: RemoteRef, time: string): Promise<string> {
  const { git, url } = remote;
  const copy = ref.refKind === 'tag' ? `refs/tags/${ref.branch}` : `refs/remotes/origin/${ref.branch}`;
  await makeRoom(git, folder, copy);
  const source = ref.refKind === 'tag' ? copy : `refs/heads/${ref.branch}`;
  const options = ['--progress', '--force', '--no-tags', '--no-recurse-submodules', '--no-write-fetch-head'];
  const fetch = (...history: string[]) =>
    git.run(folder, ['fetch', ...options, ...history, '--', url, `+${source}:${copy}`]);
  if (!existsSync(join(folder, '.git', 'shallow'))) await fetch();
  // Without a limit, a rewritten history would come whole. It may hold nothing newer, and a few hosts know no dates.
  else await fetch(`--shallow-since=@${time}`).catch(() => fetch('--depth=1'));
  return (await git.run(folder, ['rev-parse', '--verify', `${copy}^{commit}`])).trim();
}

/** Where the remote has one of two names that exclude each other, it has deleted the other. */
async function makeRoom(git: Git, folder: string, ref: string): Promise<void> {
  const namespace = ref.startsWith('refs/tags/') ? 'refs/tags' : 'refs/remotes/origin';
  const names = (await git.run(folder, ['for-each-ref', '--format=%(refname)', namespace])).split('\n');
  for (const name of names) {
    if (excludeEachOther(name, ref)) await git.run(folder, ['update-ref', '-d', name]);
  }
}

/** `a` and `a/b` cannot both exist. */
export const excludeEachOther = (one: string, other: string): boolean =>
  one.startsWith(`${other}/`) || other.startsWith(`${one}/`);
