import type { PackageManagerName } from '../../../contracts/shapes.js';
import type { ProjectManifest } from './project-manifest.js';
import type { ProjectFiles } from './project-files.js';

/** Why a repository can be installed by some package managers only. */
export interface WorkspaceBond {
  managers: PackageManagerName[];
  reason: string;
}

/** Dependency protocols that npm does not know, and who knows them. */
const PROTOCOLS: Record<string, PackageManagerName[]> = {
  'workspace:': ['pnpm', 'yarn', 'bun'],
  'catalog:': ['pnpm', 'bun', 'yarn'],
  'portal:': ['yarn'],
  'patch:': ['yarn'],
};

/** Undefined where any package manager will do. Only the root's manifest is read: what a member needs its install tells. */
export function workspaceBond(manifest: ProjectManifest, files: ProjectFiles): WorkspaceBond | undefined {
  if (files.pnpmWorkspace === 'packages') {
    return { managers: ['pnpm'], reason: 'its packages are listed in pnpm-workspace.yaml' };
  }
  for (const [dependency, spec] of dependencySpecs(manifest)) {
    const protocol = Object.keys(PROTOCOLS).find((prefix) => spec.startsWith(prefix));
    const managers = protocol && PROTOCOLS[protocol];
    if (managers) return { managers, reason: `it depends on ${dependency} by the ${protocol} protocol` };
  }
  return undefined;
}

function dependencySpecs({ dependencies, devDependencies, optionalDependencies }: ProjectManifest): [string, string][] {
  const entries = [dependencies, devDependencies, optionalDependencies].flatMap((one) => Object.entries(one ?? {}));
  return entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string');
}
