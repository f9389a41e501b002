import semver from 'semver';
import type { PackageManagerName } from '../../../contracts/shapes.js';
import { textAt, type ProjectManifest } from './project-manifest.js';
import type { ProjectFiles } from './project-files.js';

/** Which versions write a lockfile of this format: others reject it, or write it anew. */
const LOCKFILE_WRITERS: Partial<Record<PackageManagerName, Record<string, string>>> = {
  // Format 9 is that of all later versions too; 10 is the last that asks for no newer Node.js.
  pnpm: { '5.3': '^6', '5.4': '^7', '6.0': '^8', '6.1': '^8', '9.0': '^10' },
  yarn: { classic: '^1', 4: '^2.4', 5: '~3.1', 6: '^3.2', 7: '^4', 8: '^4', 9: '^4', 10: '^4' },
};

/** Where nothing tells. */
const DEFAULTS: Record<PackageManagerName, string> = { npm: '*', pnpm: '^10', yarn: '^1', bun: '*' };

/**
 * Rows of ranges, all of one row to be satisfied, the most wanted row first: the version that was named, one of its major
 * line, one that fits lockfile and `engines`, one that fits the lockfile, and in the end any.
 */
export function managerRanges(
  manager: PackageManagerName,
  pinned: string | undefined,
  manifest: ProjectManifest,
  files: ProjectFiles,
  berry: boolean,
): string[][] {
  const engines = range(textAt(manifest.engines, manager));
  const exact = semver.valid(pinned);
  const lockfile = files.lockfiles.find((one) => one.manager === manager);
  const written = lockfile && LOCKFILE_WRITERS[manager]?.[lockfile.format];
  const usual = manager === 'yarn' && berry ? '^4' : DEFAULTS[manager];
  const rows = [
    pinned && [pinned],
    exact ? [`^${semver.major(exact)}`] : undefined,
    engines && [engines, written ?? usual],
    engines && [engines],
    [written ?? usual],
    manager === 'yarn' ? [berry ? '>=2' : '*'] : ['*'],
  ];
  return rows.filter((row) => typeof row === 'object');
}

/** The version that the repository's other files and fields pin, where `packageManager` does not. */
export function pinnedElsewhere(manager: PackageManagerName, manifest: ProjectManifest, files: ProjectFiles) {
  return (manager === 'yarn' ? files.yarnRelease : undefined) ?? range(textAt(manifest.volta, manager));
}

/** Whether yarn has to be 2 or later: by the version that was named, else by what lies in the repository. */
export function wantsBerry(
  { yarnBerry, lockfiles }: ProjectFiles,
  protocols: boolean,
  pinned: string | undefined,
): boolean {
  if (pinned) return !semver.intersects(pinned, '<2');
  const lockfile = lockfiles.find(({ manager }) => manager === 'yarn');
  return protocols || (lockfile ? lockfile.format !== 'classic' : yarnBerry);
}

/** `engines.npm: "please use yarn"` is no range. */
const range = (text: string | undefined): string | undefined =>
  text === undefined ? undefined : (semver.validRange(text) ?? undefined);
