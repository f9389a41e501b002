import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../../../contracts/failure.js';
import type { StatusOutput } from '../../../contracts/operations.js';
import { Git } from '../git/git.js';
import { useSafeConfig } from '../git/safe-config.js';
import type { Handler, OperationThread } from '../operation-thread.js';
import { findTree } from '../process-tree.js';
import { diskBytes } from '../workspace/disk-usage.js';
import { dependencyNames, readPackageJson } from '../workspace/manifest.js';
import { processUsage } from '../workspace/process-usage.js';

const MAX_PATHS = 1_000;

/** Reads what is on disk and what runs. Changes nothing, and runs none of the repository's code. */
export const status: Handler<'status'> = async ({ tree }, thread) => {
  const { workspace, home } = thread.context.paths;
  const warnings: string[] = [];
  return {
    git: await gitStatus(thread),
    package: packageStatus(workspace, warnings),
    diskBytes: await diskBytes([workspace, home], thread.signal),
    process: tree ? processUsage(findTree(tree)) : null,
    warnings,
  };
};

async function gitStatus(thread: OperationThread): Promise<StatusOutput['git']> {
  const { workspace } = thread.context.paths;
  const git = new Git(thread);
  useSafeConfig(workspace);
  const output = await git.run(workspace, ['status', '--porcelain=v2', '--branch', '-z', '--ignore-submodules=dirty']);
  const headers = new Map<string, string>();
  const changed: string[] = [];
  let untracked = 0;
  const entries = output.split('\0');
  for (let index = 0; index < entries.length; index += 1) {
    const entry = entries[index] ?? '';
    const [, name, value] = /^# (\S+) (.*)$/s.exec(entry) ?? [];
    if (name) headers.set(name, value ?? '');
    else if (entry.startsWith('?')) untracked += 1;
    else if (entry) changed.push(pathOf(entry));
    if (entry.startsWith('2')) index += 1; // a rename: its old name follows
  }
  const [, ahead, behind] = /^\+(\d+) -(\d+)$/.exec(headers.get('branch.ab') ?? '') ?? [];
  const head = headers.get('branch.head');
  return {
    branch: head === undefined || head === '(detached)' ? null : head,
    commit: headers.get('branch.oid') ?? null,
    upstream: headers.get('branch.upstream') ?? null,
    ahead: Number(ahead ?? 0),
    behind: Number(behind ?? 0),
    clean: changed.length === 0 && untracked === 0,
    changed: changed.slice(0, MAX_PATHS),
    untracked,
  };
}

/** The path stands after eight fields, or nine of a rename, or ten of a conflict. */
function pathOf(entry: string): string {
  const fields = { '1': 8, '2': 9, u: 10 }[entry.charAt(0)] ?? 8;
  return entry.split(' ').slice(fields).join(' ');
}

function packageStatus(workspace: string, warnings: string[]): StatusOutput['package'] {
  try {
    const manifest = readPackageJson(workspace);
    const names = dependencyNames(manifest);
    const installed = names.filter((name) => existsSync(join(workspace, 'node_modules', name, 'package.json'))).length;
    const { name = null, version = null, scripts } = manifest;
    return { name, version, scripts, dependencies: { declared: names.length, installed } };
  } catch (error) {
    const failure = Failure.of(error);
    if (failure.code !== 'NO_PACKAGE_JSON') warnings.push(failure.message);
    return null;
  }
}
