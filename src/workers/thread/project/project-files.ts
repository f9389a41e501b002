import type { PackageManagerName } from '../../../contracts/shapes.js';
import { readInside, UnreadableFile } from '../../../machine/read-inside.js';

export interface Lockfile {
  file: string;
  manager: PackageManagerName;
  /** As the file says: `9.0`, `1`, for yarn also `classic`; empty where it does not say. */
  format: string;
}

/** What lies beside package.json and tells about its tools. */
export interface ProjectFiles {
  /** The most telling first. */
  lockfiles: Lockfile[];
  /** `settings`: pnpm 10 and later keep their settings in pnpm-workspace.yaml, workspace or not. */
  pnpmWorkspace?: 'packages' | 'settings';
  /** Version of the yarn that `.yarnrc.yml` points to in the repository. It is never run from there. */
  yarnRelease?: string;
  /** Whether there is a `.yarnrc.yml`, which yarn 1 does not know. */
  yarnBerry: boolean;
  nvmrc?: string;
  nodeVersion?: string;
}

const MAX_LOCKFILE_BYTES = 64_000_000;
const MAX_SETTINGS_BYTES = 1_000_000;
const MAX_VERSION_BYTES = 4_096;

/**
 * The order decides where there are several: package-lock.json comes last because `npm install` out of habit leaves one
 * in repositories of every other manager, and yarn.lock after bun's because bun can write one of those too.
 */
const LOCKFILES: { file: string; manager: PackageManagerName; format: RegExp }[] = [
  { file: 'pnpm-lock.yaml', manager: 'pnpm', format: /^lockfileVersion:\s*['"]?([\d.]+)/m },
  { file: 'bun.lock', manager: 'bun', format: /"lockfileVersion":\s*(\d+)/ },
  { file: 'bun.lockb', manager: 'bun', format: /(?!)/ },
  { file: 'yarn.lock', manager: 'yarn', format: /^__metadata:\s+version:\s*(\d+)|^# yarn lockfile v(1)/m },
  { file: 'npm-shrinkwrap.json', manager: 'npm', format: /"lockfileVersion":\s*(\d+)/ },
  { file: 'package-lock.json', manager: 'npm', format: /"lockfileVersion":\s*(\d+)/ },
];

export function readProjectFiles(workspace: string): ProjectFiles {
  const read = (file: string, maxBytes: number) => readText(workspace, file, maxBytes);
  const lockfiles = LOCKFILES.flatMap(({ file, manager, format }) => {
    const text = read(file, MAX_LOCKFILE_BYTES);
    if (text === undefined) return [];
    const [, version, classic] = format.exec(text) ?? [];
    return [{ file, manager, format: classic ? 'classic' : (version ?? '').slice(0, 20) }];
  });
  const pnpm = read('pnpm-workspace.yaml', MAX_SETTINGS_BYTES);
  const yarnrc = read('.yarnrc.yml', MAX_SETTINGS_BYTES);
  return {
    lockfiles,
    pnpmWorkspace: pnpm === undefined ? undefined : /^packages\s*:/m.test(pnpm) ? 'packages' : 'settings',
    yarnRelease: /^yarnPath:.*yarn-(\d+\.\d+\.\d+[\w.-]*)\.c?js/m.exec(yarnrc ?? '')?.[1],
    yarnBerry: yarnrc !== undefined,
    nvmrc: read('.nvmrc', MAX_VERSION_BYTES),
    nodeVersion: read('.node-version', MAX_VERSION_BYTES),
  };
}

function readText(workspace: string, file: string, maxBytes: number): string | undefined {
  try {
    return readInside(workspace, file, maxBytes)?.toString('utf8');
  } catch (error) {
    if (error instanceof UnreadableFile) return undefined; // the package manager will say what it thinks of it
    throw error;
  }
}
