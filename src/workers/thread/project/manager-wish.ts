import semver from 'semver';
import { Failure } from '../../../contracts/failure.js';
import type { PackageManagerName } from '../../../contracts/shapes.js';
import { managerRanges, pinnedElsewhere, wantsBerry } from './manager-ranges.js';
import { devEngines, textAt, type ProjectManifest } from './project-manifest.js';
import type { ProjectFiles } from './project-files.js';
import { workspaceBond, type WorkspaceBond } from './workspace-bond.js';

/** The package manager that a repository is to be installed with. */
export interface ManagerWish {
  name: PackageManagerName;
  /** As the caller or the repository named it; null where it was inferred. */
  wanted: string | null;
  why: string;
  /** The version or range that was named, by whatever names it. */
  version?: string;
  /** What its version must satisfy, all of one row; the first row that can be had counts. */
  ranges: string[][];
  /** Of the tarball of exactly the named version, as corepack writes it. */
  hash?: { version: string; algorithm: string; hex: string };
  /** Whether npm may stand in when this one is not available. */
  replaceable: boolean;
}

const NAMES: readonly string[] = ['npm', 'yarn', 'pnpm', 'bun'] satisfies PackageManagerName[];

interface Named {
  name: PackageManagerName;
  wanted: string | null;
  why: string;
  version?: string;
}

/**
 * The caller's choice, else `packageManager`, else `devEngines.packageManager`, else the lockfile, else what the kind of
 * workspace demands, else npm. Throws `PACKAGE_MANAGER_UNAVAILABLE` when the one that was named cannot install this
 * kind of workspace: npm in a pnpm workspace exits 0 with the root's packages only.
 */
export function managerWish(
  manifest: ProjectManifest,
  files: ProjectFiles,
  requested: PackageManagerName | undefined,
): ManagerWish {
  const bond = workspaceBond(manifest, files);
  const field = packageManagerField(manifest);
  const named = nameManager(manifest, files, requested, bond, field);
  if (bond && !bond.managers.includes(named.name)) {
    throw new Failure('PACKAGE_MANAGER_UNAVAILABLE', `${named.name} cannot install this repository: ${bond.reason}`, {
      suggestion: `Install with packageManager ${bond.managers.join(' or ')}.`,
    });
  }
  // The field also tells the version of a manager that the caller has named again.
  const version = named.version ?? (field?.name === named.name ? field.version : undefined);
  const hash = version === field?.version ? field?.hash : undefined;
  const pinned = version ?? pinnedElsewhere(named.name, manifest, files);
  return {
    name: named.name,
    wanted: named.wanted,
    why: named.why,
    version: pinned,
    ranges: managerRanges(named.name, pinned, manifest, files, wantsBerry(files, bond !== undefined, pinned)),
    hash: hash && version ? { version, ...hash } : undefined,
    replaceable: bond === undefined && named.name !== 'npm',
  };
}

function nameManager(
  manifest: ProjectManifest,
  files: ProjectFiles,
  requested: PackageManagerName | undefined,
  bond: WorkspaceBond | undefined,
  field: ReturnType<typeof packageManagerField>,
): Named {
  if (requested) return { name: requested, wanted: requested, why: 'the request names it' };
  if (field && isManager(field.name)) {
    return {
      name: field.name,
      wanted: field.text,
      why: 'packageManager in package.json names it',
      version: field.version,
    };
  }
  const engines = devEngines(manifest, 'packageManager');
  const engine = engines.find(({ name }) => isManager(name));
  if (engine && isManager(engine.name)) {
    const { name } = engine;
    const version = semver.validRange(engine.version) ? engine.version : undefined;
    return { name, wanted: version ? `${name}@${version}` : name, why: 'devEngines.packageManager names it', version };
  }
  const unknown = field?.text ?? engines[0]?.name;
  const { name, why } = inferManager(files, bond);
  return { name, wanted: unknown ?? null, why: unknown ? `${unknown} is not known here; ${why}` : why };
}

function inferManager(
  { lockfiles, pnpmWorkspace, yarnBerry }: ProjectFiles,
  bond: WorkspaceBond | undefined,
): Pick<Named, 'name' | 'why'> {
  const usable = lockfiles.filter(({ manager }) => !bond || bond.managers.includes(manager));
  const [first, ...others] = usable;
  if (first) {
    const rivals = others.filter(({ manager }) => manager !== first.manager).map(({ file }) => file);
    const preference = rivals.length > 0 ? `, which goes before ${rivals.join(' and ')}` : '';
    return { name: first.manager, why: `it wrote ${first.file}${preference}` };
  }
  if (pnpmWorkspace) return { name: 'pnpm', why: 'there is a pnpm-workspace.yaml' };
  if (yarnBerry && (!bond || bond.managers.includes('yarn'))) return { name: 'yarn', why: 'there is a .yarnrc.yml' };
  if (bond?.managers[0]) return { name: bond.managers[0], why: bond.reason };
  return { name: 'npm', why: 'nothing names another one' };
}

/** `name@version+algorithm.hash` */
function packageManagerField(manifest: ProjectManifest) {
  const text = textAt(manifest, 'packageManager');
  const [, name, version, algorithm, hex] =
    /^([\w@/-]+?)(?:@([^+]+))?(?:\+(sha\d+)\.([0-9a-f]+))?$/i.exec(text ?? '') ?? [];
  if (!text || !name) return undefined;
  const hash = algorithm && hex ? { algorithm: algorithm.toLowerCase(), hex: hex.toLowerCase() } : undefined;
  return { text: text.replace(/\+.*/, ''), name, version: semver.validRange(version) ? version : undefined, hash };
}

const isManager = (name: string): name is PackageManagerName => NAMES.includes(name);
