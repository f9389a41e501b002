import { delimiter, join } from 'node:path';
import { Failure } from '../../../contracts/failure.js';
import type { InstallRecord } from '../../../contracts/operations.js';
import { managerSettings, toolEnvironment } from '../package-manager/environment.js';
import type { PackageManifest } from '../project/manifest.js';

/** Of a variable: each level of nesting makes it longer. */
const MAX_NAME_CHARS = 1_000;
/**
 * Of what package.json gives: one variable may take all of it, and a sandbox and Linux still take what callers may give as
 * well (run-env).
 */
const MAX_VARIABLES = 1_000;
const MAX_BYTES = 131_072;

export type Tools = Pick<InstallRecord, 'packageManager' | 'node' | 'nodePath' | 'binPaths'>;

export interface LaunchSetting {
  manifest: PackageManifest;
  tools: Tools;
  workspace: string;
  home: string;
  port: number;
  /** The caller's variables. */
  env: Record<string, string>;
}

/**
 * What scripts expect of whoever runs them (https://docs.npmjs.com/cli/using-npm/scripts#environment). The caller's
 * variables stand above those of the machine, and below those that make the start work.
 */
export function launchEnvironment({
  manifest,
  tools,
  workspace,
  home,
  env,
  port,
}: LaunchSetting): Record<string, string> {
  const { packageManager: manager, nodePath, binPaths } = tools;
  const base = toolEnvironment({ home, binPaths, nodePath });
  return {
    ...base,
    // Nobody sits in front of the station: a dev server told to open its page would start a text browser.
    BROWSER: 'none',
    ...managerSettings(manager, home),
    ...env,
    ...packageVariables(manifest),
    PATH: [join(workspace, 'node_modules/.bin'), base.PATH].join(delimiter),
    PORT: String(port),
    PWD: workspace,
    INIT_CWD: workspace,
    NODE: nodePath,
    npm_node_execpath: nodePath,
    npm_execpath: join(binPaths[0] ?? '', manager.name),
    npm_package_json: join(workspace, 'package.json'),
    npm_command: 'run-script',
    npm_config_user_agent: userAgent(tools),
  };
}

function userAgent({ packageManager: { name, version }, node }: Tools): string {
  const npm = name === 'npm' ? '' : ' npm/?';
  return `${name}/${version}${npm} node/v${node.used} ${process.platform} ${process.arch}`;
}

/**
 * `npm_package_name`, `npm_package_config_port` … of the parts that every package manager passes on. BAD_PACKAGE_JSON where
 * they are more than a process can be given.
 */
function packageVariables(manifest: PackageManifest): Record<string, string> {
  const { name, version, engines } = manifest;
  const { config, bin } = manifest as PackageManifest & { config?: unknown; bin?: unknown };
  const variables: Record<string, string> = {};
  let [count, bytes] = [0, 0];
  for (const [key, value] of flatten('npm_package', { name, version, config, engines, bin })) {
    count += 1;
    bytes += Buffer.byteLength(key) + Buffer.byteLength(value) + 2;
    if (count > MAX_VARIABLES || bytes > MAX_BYTES) throw tooMuch();
    variables[key] = value;
  }
  return variables;
}

function* flatten(prefix: string, value: unknown): Generator<[string, string]> {
  if (typeof value === 'object' && value !== null) {
    if (prefix.length > MAX_NAME_CHARS) return;
    for (const [key, one] of Object.entries(value)) yield* flatten(`${prefix}_${key.replace(/\W/g, '_')}`, one);
    return;
  }
  const text =
    typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : '';
  if (text !== '' && !text.includes('\0')) yield [prefix, text];
}

const tooMuch = (): Failure =>
  new Failure(
    'BAD_PACKAGE_JSON',
    `name, version, config, engines and bin, which scripts get as environment variables, are more than ${MAX_VARIABLES} or take more than ${MAX_BYTES} bytes`,
  );
