import { CERTIFICATE_VARIABLES } from '../../../machine/certificate-variables.js';
import { delimiter, join } from 'node:path';
import semver from 'semver';
import type { RegistryAccess } from '../../../contracts/operations.js';
import type { PackageManagerName } from '../../../contracts/shapes.js';
import { nodeHeaders } from '../toolchain/station-node.js';
import { makePlainFolder } from '../workspace/plain-folder.js';

/** Of the server's environment only what tells about the machine: where programs are, its language, its way to the network. */
const OF_THE_MACHINE = [
  'LANG',
  'LANGUAGE',
  'LC_ALL',
  'LC_CTYPE',
  'TZ',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
  'http_proxy',
  'https_proxy',
  'no_proxy',
  ...CERTIFICATE_VARIABLES,
];

/** By default npm and pnpm take over a minute to report that there is no registry. Milliseconds. */
const RETRIES = { fetch_retries: '2', fetch_retry_mintimeout: '1000', fetch_retry_maxtimeout: '5000' };

export interface ToolEnvironment {
  home: string;
  binPaths: string[];
  nodePath: string;
}

/**
 * The environment of a repository's commands, for installs and runs alike: the chosen tools first on PATH, a HOME of its
 * own with caches and temporary files below, nothing that the server keeps for itself.
 */
export function toolEnvironment({ home, binPaths, nodePath }: ToolEnvironment): Record<string, string> {
  const temporary = join(home, 'tmp');
  makePlainFolder(temporary);
  const machine = OF_THE_MACHINE.flatMap((name) => (process.env[name] ? [[name, process.env[name]] as const] : []));
  const headers = nodeHeaders(nodePath);
  return {
    ...Object.fromEntries(machine),
    PATH: [...binPaths, ...systemPath()].join(delimiter),
    HOME: home,
    TMPDIR: temporary,
    // Stands above the .npmrc of the repository, which must not lead npm out of its home.
    npm_config_cache: join(home, '.npm'),
    npm_config_prefix: join(home, '.npm-global'),
    // Otherwise the server's own one, found beside its Node.js, and the tokens in it.
    npm_config_globalconfig: join(home, '.npmrc-global'),
    npm_config_update_notifier: 'false',
    ...(headers && { npm_config_nodedir: headers }),
  };
}

export interface InstallEnvironment extends ToolEnvironment {
  manager: { name: PackageManagerName; version: string };
  registry: RegistryAccess;
}

/** The environment of an install: as above, and no question is ever asked. */
export function installEnvironment(options: InstallEnvironment): Record<string, string> {
  const { home, manager, registry } = options;
  return {
    ...toolEnvironment(options),
    // What every CI service sets: prompts then take their default, husky leaves .git alone. Whether the lockfile is
    // frozen, which it changes too, is always said explicitly. Only for the install: builds turn warnings into errors by it.
    CI: 'true',
    NO_COLOR: '1',
    ...(registry.cafile && { NODE_EXTRA_CA_CERTS: registry.cafile }),
    ...prefixed('npm_config_', RETRIES),
    npm_config_audit: 'false',
    npm_config_fund: 'false',
    ...managerSettings(manager, home),
  };
}

/** What keeps a package manager to itself, for installs and for scripts that call it. */
export function managerSettings(
  { name, version }: InstallEnvironment['manager'],
  home: string,
): Record<string, string> {
  if (name === 'bun') return { BUN_INSTALL_CACHE_DIR: join(home, '.bun/install/cache') };
  if (name === 'pnpm') {
    const settings = {
      store_dir: join(home, '.pnpm-store'),
      // It would ask before it replaces a node_modules that another version or manager has made, and wait for ever.
      confirm_modules_purge: 'false',
      // The version is chosen by now; it would fetch and start the one in packageManager itself.
      manage_package_manager_versions: 'false',
      pm_on_fail: 'ignore',
      package_manager_strict: 'false',
      // Install scripts that it has not run are reported, not a failure.
      strict_dep_builds: 'false',
    };
    return prefixed(semver.major(version) < 11 ? 'npm_config_' : 'pnpm_config_', { ...settings, ...RETRIES });
  }
  if (name !== 'yarn') return {};
  // yarnPath and yarn-path name a program in the repository: the one of the toolchain is used instead.
  if (semver.major(version) < 2) {
    return { YARN_IGNORE_PATH: '1', SKIP_YARN_COREPACK_CHECK: '1', YARN_CACHE_FOLDER: join(home, '.cache/yarn') };
  }
  return {
    YARN_IGNORE_PATH: '1',
    YARN_GLOBAL_FOLDER: join(home, '.yarn/berry'),
    YARN_ENABLE_TELEMETRY: '0',
    YARN_ENABLE_PROGRESS_BARS: '0',
    // What a build says belongs into the log, not into a temporary file.
    YARN_ENABLE_INLINE_BUILDS: '1',
  };
}

const prefixed = (prefix: string, settings: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(settings).map(([key, value]) => [prefix + key, value]));

/** Folders of the station's own packages would put its development tools on every repository's PATH. */
function systemPath(): string[] {
  const folders = (process.env.PATH ?? '/usr/local/bin:/usr/bin:/bin').split(delimiter);
  return folders.filter((folder) => folder.startsWith('/') && !folder.includes('/node_modules/'));
}
