import { Failure } from '../../../contracts/failure.js';
import type { ProjectManifest } from './project-manifest.js';
import { parseManifest } from './parse-manifest.js';

/** What is known of a package.json. A stranger wrote it: only what is typed here has been checked. */
export interface PackageManifest extends ProjectManifest {
  name?: string;
  version?: string;
  /** Look scripts up with Object.hasOwn: a name may be `constructor`. */
  scripts: Record<string, string>;
  peerDependencies?: unknown;
  workspaces?: unknown;
}

const DEPENDENCY_FIELDS = ['dependencies', 'devDependencies', 'optionalDependencies', 'peerDependencies'] as const;

/** NO_PACKAGE_JSON, or BAD_PACKAGE_JSON when it is no JSON object, too large, or a link that leads out of the workspace. */
export function readPackageJson(workspace: string): PackageManifest {
  const found = parseManifest(workspace, 'package.json');
  if (!found) throw new Failure('NO_PACKAGE_JSON', 'The repository has no package.json at its root');
  const { name, version } = found;
  return {
    ...found,
    name: typeof name === 'string' ? name : undefined,
    version: typeof version === 'string' ? version : undefined,
    scripts: Object.fromEntries(textEntries(found.scripts)),
  };
}

/** Whether `run` needs an install first. A root with workspaces counts: its members have dependencies of their own. */
function declaresDependencies(manifest: PackageManifest): boolean {
  return dependencyNames(manifest).length > 0 || manifest.workspaces !== undefined;
}

/** Each name once, whatever kind of dependency it is. */
export function dependencyNames(manifest: PackageManifest): string[] {
  const entries = DEPENDENCY_FIELDS.flatMap((field) => textEntries(manifest[field]));
  return [...new Set(entries.map(([name]) => name))];
}

function textEntries(value: unknown): [string, string][] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
}

/** As `declaresDependencies`, of what lies in the workspace; a package.json that cannot be read is a warning. */
export function declaredDependencies(workspace: string): { declared: boolean; warnings: string[] } {
  try {
    return { declared: declaresDependencies(readPackageJson(workspace)), warnings: [] };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { declared: false, warnings: error.code === 'NO_PACKAGE_JSON' ? [] : [error.message] };
  }
}
