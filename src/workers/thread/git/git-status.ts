import type { StatusOutput } from '../../../contracts/operations.js';
import { boundedPaths } from '../../../machine/bounded.js';
import type { GitThread } from './git.js';
import { withReadOnlyView } from './read-only-view.js';

/** Fields before the path of a changed file and of a conflict. */
const FIELDS: Record<string, number> = { '1': 8, u: 10 };

/** git is not let into submodules: they have a configuration of their own. */
const STATUS = ['status', '--porcelain=v2', '--branch', '-z', '--no-renames', '--ignore-submodules=dirty'];

/** GIT_FAILED where there is no repository, or a damaged one. */
export async function readGitStatus(workspace: string, thread: GitThread): Promise<StatusOutput['git']> {
  const output = await withReadOnlyView(workspace, thread, (git) => git.run(workspace, STATUS));
  const headers = new Map<string, string>();
  const changed: string[] = [];
  let untracked = 0;
  for (const entry of output.split('\0').filter(Boolean)) {
    const [, name, value] = /^# (\S+) (.*)$/s.exec(entry) ?? [];
    if (name !== undefined) headers.set(name, value ?? '');
    else if (entry.startsWith('?')) untracked += 1;
    else changed.push(entry.split(' ').slice(FIELDS[entry.charAt(0)]).join(' '));
  }
  const [, ahead, behind] = /^\+(\d+) -(\d+)$/.exec(headers.get('branch.ab') ?? '') ?? [];
  const [branch, commit] = [headers.get('branch.head'), headers.get('branch.oid')];
  return {
    branch: branch === undefined || branch === '(detached)' ? null : branch,
    commit: commit === undefined || commit === '(initial)' ? null : commit,
    upstream: headers.get('branch.upstream') ?? null,
    ahead: Number(ahead ?? 0),
    behind: Number(behind ?? 0),
    clean: changed.length + untracked === 0,
    changed: boundedPaths(changed),
    untracked,
  };
}
