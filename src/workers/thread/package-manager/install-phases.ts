import type { PackageManagerName } from '../../../contracts/shapes.js';

export type InstallPhase = 'toolchain' | 'resolving' | 'fetching' | 'linking' | 'scripts';

/** The first pattern that matches a line tells the phase that it belongs to. */
const PATTERNS: Record<PackageManagerName, [RegExp, InstallPhase][]> = {
  npm: [
    [/^npm http fetch .*\.tgz/, 'fetching'],
    [/^npm http fetch /, 'resolving'],
    [/^> \S+@\S+ \w+/, 'scripts'],
    [/^(added|changed|up to date)\b/, 'linking'],
  ],
  pnpm: [
    [/^Progress: resolved \d+, reused \d+, downloaded \d+, added [1-9]/, 'linking'],
    [/^Progress: resolved \d+, reused \d+, downloaded [1-9]/, 'fetching'],
    [/^Progress: |^Lockfile is up to date/, 'resolving'],
    [/(?:^|\s)(?:pre|post)?install[$:] /, 'scripts'],
  ],
  yarn: [
    [/^\[\d\/\d\] Resolving|YN0000: .*Resolution step/, 'resolving'],
    [/^\[\d\/\d\] Fetching|YN0000: .*Fetch step/, 'fetching'],
    [/^\[\d\/\d\] Linking|YN0000: .*Link step/, 'linking'],
    [/^\[\d\/\d\] Building|YN000[78]: .*must be (?:re)?built/, 'scripts'],
  ],
  bun: [
    [/^Resolving dependencies/, 'resolving'],
    [/^Resolved, downloaded and extracted/, 'fetching'],
    [/^\d+ packages? installed/, 'linking'],
    [/^\$ /, 'scripts'],
  ],
};

export const phaseOf = (manager: PackageManagerName, line: string): InstallPhase | undefined =>
  PATTERNS[manager].find(([pattern]) => pattern.test(line))?.[1];
