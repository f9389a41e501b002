import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PackageManagerName } from '../../../contracts/shapes.js';

/** Which package of the registry holds a program for this machine. */
export interface ProgramSource {
  package: string;
  /** The versions that it is the source of. */
  versions: string;
  /** The program inside, where it is a native one; a package without runs on Node.js, by its `bin`. */
  binary?: string;
  /** The package that a hash in a `packageManager` field is taken from, where it is another one. */
  hashed?: string;
}

/** A program by the name that it has on PATH. */
export type Programs = Record<string, { path: string; native: boolean }>;

const { platform, arch } = process;
const musl =
  platform === 'linux' && !('glibcVersionRuntime' in (process.report.getReport() as { header: object }).header);
const libc = musl ? '-musl' : '';

export const NODE_SOURCE = {
  package: `node-${platform}-${arch}`,
  binary: 'bin/node',
  versions: '*',
} satisfies ProgramSource;

const MANAGER_SOURCES: Record<PackageManagerName, ProgramSource[]> = {
  npm: [{ package: 'npm', versions: '*' }],
  pnpm: [
    { package: 'pnpm', versions: '<12.0.0-0' },
    { package: `@pnpm/exe.${platform}-${arch}${libc}`, versions: '>=12.0.0-0', binary: 'pnpm', hashed: 'pnpm' },
  ],
  yarn: [
    { package: 'yarn', versions: '<2.0.0-0' },
    { package: '@yarnpkg/cli-dist', versions: '>=2.0.0-0' },
  ],
  bun: [{ package: bunPackage(), versions: '*', binary: 'bin/bun' }],
};

/** Where the versions of a package manager come from. */
export const managerSources = (manager: PackageManagerName): ProgramSource[] => MANAGER_SOURCES[manager];

/** What an unpacked package manager brings along. */
export function programsOf(manager: PackageManagerName, folder: string, source: ProgramSource): Programs {
  if (source.binary) {
    const binary = { path: join(folder, source.binary), native: true };
    // bun acts as bunx when it is called by that name.
    return manager === 'bun' ? { bun: binary, bunx: binary } : { [manager]: binary };
  }
  const { bin } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { bin: Record<string, string> };
  const nodeGyp = 'node_modules/node-gyp/bin/node-gyp.js';
  // Every npm brings one along that fits it; yarn and bun look for one on PATH.
  const scripts = existsSync(join(folder, nodeGyp)) ? { ...bin, 'node-gyp': nodeGyp } : bin;
  return Object.fromEntries(
    Object.entries(scripts).map(([name, path]) => [name, { path: join(folder, path), native: false }]),
  );
}

function bunPackage(): string {
  const cpu = arch === 'arm64' ? 'aarch64' : arch;
  return `@oven/bun-${platform}-${cpu}${libc}${cpu === 'x64' && !hasAvx2() ? '-baseline' : ''}`;
}

/** Without it the ordinary build of bun dies of an illegal instruction. */
function hasAvx2(): boolean {
  try {
    return readFileSync('/proc/cpuinfo', 'utf8').includes(' avx2');
  } catch {
    return true; // no such file on this platform
  }
}
