import semver from 'semver';
import type { PackageManagerName } from '../../../contracts/shapes.js';

export interface InstallPlan {
  manager: { name: PackageManagerName; version: string };
  /** Exactly what the lockfile says, or fail. */
  frozen: boolean;
  production: boolean;
  ignoreScripts: boolean;
  strictEngines: boolean;
  /** Whether a pnpm-workspace.yaml lies in the repository itself. */
  pnpmWorkspace: boolean;
}

/** The argument lists of the commands that make up one install, in order. */
export function installCommands(plan: InstallPlan): string[][] {
  const { name, version } = plan.manager;
  if (name === 'npm') return [npm(plan, semver.major(version))];
  if (name === 'pnpm') return [pnpm(plan)];
  if (name === 'bun') return [bun(plan)];
  return semver.major(version) < 2 ? [yarnClassic(plan)] : yarnBerry(plan, semver.major(version));
}

/** Not frozen, npm and yarn 1 can leave the lockfile as it is, so that the working tree stays clean; the others write theirs. */
function npm({ frozen, production, ignoreScripts }: InstallPlan, major: number): string[] {
  const omit = major < 7 ? `--production=${production}` : production ? '--omit=dev' : '--include=dev';
  return [
    ...(frozen ? ['ci'] : ['install', '--no-save']),
    omit,
    '--loglevel=http', // the only sign of life without a terminal
    ...given(ignoreScripts, '--ignore-scripts'),
  ];
}

function pnpm({ frozen, production, ignoreScripts, pnpmWorkspace }: InstallPlan): string[] {
  return [
    'install',
    frozen ? '--frozen-lockfile' : '--no-frozen-lockfile',
    '--reporter=append-only',
    ...given(production, '--prod'),
    // .pnpmfile.cjs is code of the repository too.
    ...given(ignoreScripts, '--ignore-scripts', '--ignore-pnpmfile'),
    // Otherwise it looks for one in every folder above, the station's included.
    ...given(!pnpmWorkspace, '--ignore-workspace'),
  ];
}

function bun({ frozen, production, ignoreScripts }: InstallPlan): string[] {
  return [
    'install',
    ...given(frozen, '--frozen-lockfile'),
    ...given(production, '--omit=dev'), // --production would freeze the lockfile as well
    ...given(ignoreScripts, '--ignore-scripts'),
  ];
}

function yarnClassic({ frozen, production, ignoreScripts, strictEngines }: InstallPlan): string[] {
  return [
    'install',
    '--non-interactive',
    '--no-progress',
    frozen ? '--frozen-lockfile' : '--pure-lockfile',
    `--production=${production}`,
    // The only manager that fails when a package deep down does not know a Node.js that is newer than itself.
    ...given(!strictEngines, '--ignore-engines'),
    ...given(ignoreScripts, '--ignore-scripts'),
  ];
}

function yarnBerry({ frozen, production, ignoreScripts }: InstallPlan, major: number): string[][] {
  const immutable = frozen ? '--immutable' : '--no-immutable';
  const skipBuilds = given(ignoreScripts, major < 3 ? '--skip-builds' : '--mode=skip-build');
  // Before 4 only a plugin can leave dev dependencies out.
  if (!production || major < 4) return [['install', immutable, ...skipBuilds]];
  // focus leaves them out but does not know --immutable: an install before it holds package.json against the lockfile.
  const focus = ['workspaces', 'focus', '--all', '--production'];
  return [
    ['install', immutable, '--mode=skip-build'],
    [...focus, ...skipBuilds],
  ];
}

const given = (condition: boolean, ...values: string[]): string[] => (condition ? values : []);
