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

export const NODE_SOURCE = {
  package: `node-${platform}-${arch}`,
  binary: 'bin/node',
  versions: '*',
} satisfies ProgramSource;

/** Where the versions of a package manager come from; found out when it is asked for: it takes a look at the machine. */
export function managerSources(manager: PackageManagerName): ProgramSource[] {
  switch (manager) {
    case 'npm':
      return [{ package: 'npm', versions: '*' }];
    case 'pnpm':
      return [
        { package: 'pnpm', versions: '<12.0.0-0' },
        {
          package: `@pnpm/exe.${platform}-${arch}${libc()}`,
          versions: '>=12.0.0-0',
          binary: 'pnpm',
          hashed: 'pnpm',
        },
      ];
    case 'yarn':
      return [
        { package: 'yarn', versions: '<2.0.0-0' },
        { package: '@yarnpkg/cli-dist', versions: '>=2.0.0-0' },
      ];
    case 'bun':
      return [{ package: bunPackage(), versions: '*', binary: 'bin/bun' }];
  }
}

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
  return `@oven/bun-${platform}-${cpu}${libc()}${cpu === 'x64' && !hasAvx2() ? '-baseline' : ''}`;
}

function libc(): string {
  const { header } = process.report.getReport() as { header: object };
  return platform === 'linux' && !('glibcVersionRuntime' in header) ? '-musl' : '';
}

/** Without it the ordinary build of bun dies of an illegal instruction. */
function hasAvx2(): boolean {
  try {
    return readFileSync('/proc/cpuinfo', 'utf8').includes(' avx2');
  } catch {
    return true; // no such file on this platform
  }
}
