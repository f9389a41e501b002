import { closeSync, existsSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import type { PackageManagerName } from '../../../contracts/shapes.js';

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

/** What is needed stands at the top, also of a lockfile of 20 MB. */
const HEAD_BYTES = 65_536;

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
  const head = (file: string) => readHead(join(workspace, file));
  const lockfiles = LOCKFILES.flatMap(({ file, manager, format }) => {
    const text = head(file);
    if (text === undefined) return [];
    const [, version, classic] = format.exec(text) ?? [];
    return [{ file, manager, format: classic ? 'classic' : (version ?? '') }];
  });
  const pnpm = head('pnpm-workspace.yaml');
  const yarnrc = head('.yarnrc.yml');
  return {
    lockfiles,
    pnpmWorkspace: pnpm === undefined ? undefined : /^packages\s*:/m.test(pnpm) ? 'packages' : 'settings',
    yarnRelease: /^yarnPath:.*yarn-(\d+\.\d+\.\d+[\w.-]*)\.c?js/m.exec(yarnrc ?? '')?.[1],
    yarnBerry: yarnrc !== undefined,
    nvmrc: head('.nvmrc'),
    nodeVersion: head('.node-version'),
  };
}

function readHead(path: string): string | undefined {
  if (!existsSync(path)) return undefined;
  let descriptor: number | undefined;
  try {
    descriptor = openSync(path, 'r');
    const buffer = Buffer.alloc(HEAD_BYTES);
    return buffer.toString('utf8', 0, readSync(descriptor, buffer));
  } catch {
    return undefined; // a folder of that name
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}
