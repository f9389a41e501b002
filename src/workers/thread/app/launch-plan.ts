import { delimiter, join } from 'node:path';
import type { RunInput } from '../../../contracts/operations.js';
import type { OperationThread } from '../operation-thread.js';
import { toolEnvironment } from '../package-manager/environment.js';
import type { Command } from '../sandbox/sandbox.js';
import { provideToolchain } from '../toolchain/toolchain.js';
import { readPackageJson, type PackageManifest } from '../workspace/manifest.js';
import { chooseScript, stepsOf } from './script.js';

/** What is to be started: the commands, one after the other, each with its whole environment. */
export interface LaunchPlan {
  script: string;
  /** As package.json has it. */
  command: string;
  commands: Command[];
  scripts: Record<string, string>;
}

type Tools = Pick<NonNullable<RunInput['installed']>, 'packageManager' | 'nodePath' | 'binPaths'>;

/** SCRIPT_NOT_FOUND, NO_PACKAGE_JSON, BAD_PACKAGE_JSON before anything has started. */
export async function planLaunch(input: RunInput, thread: OperationThread): Promise<LaunchPlan> {
  const { workspace, home } = thread.context.paths;
  const manifest = readPackageJson(workspace);
  const script = chooseScript(manifest, input.script);
  const tools = input.installed ?? (await toolsFor(manifest, input, thread));
  const base: Record<string, string> = {
    ...toolEnvironment({ home, binPaths: tools.binPaths, nodePath: tools.nodePath }),
    ...npmVariables(manifest, tools, workspace),
    ...input.env,
    PORT: String(input.port),
  };
  const shell = (event: string, command: string): Command =>
    commandOf(workspace, 'sh', ['-c', command], {
      ...base,
      PATH: [join(workspace, 'node_modules/.bin'), base.PATH ?? ''].join(delimiter),
      npm_lifecycle_event: event,
      npm_lifecycle_script: command,
    });
  const command = manifest.scripts[script] ?? '';
  const commands = runsItself(tools)
    ? [commandOf(workspace, tools.packageManager.name, ['run', script], base)]
    : stepsOf(manifest, script).map((step) => shell(step.event, step.command));
  return { script, command, commands, scripts: manifest.scripts };
}

function commandOf(cwd: string, file: string, args: string[], env: Record<string, string>): Command {
  return { purpose: 'app', file, args, cwd, env, stdin: 'open' };
}

/** Yarn 2 and later resolve without node_modules, and bun has a runtime of its own: their scripts need them in between. */
function runsItself({ packageManager }: Tools): boolean {
  const { name, version } = packageManager;
  return name === 'bun' || (name === 'yarn' && !version.startsWith('1.'));
}

/** Where no dependency is declared nothing was installed, and the tools are chosen now. */
async function toolsFor(manifest: PackageManifest, input: RunInput, thread: OperationThread): Promise<Tools> {
  return provideToolchain({
    workspace: thread.context.paths.workspace,
    manifest,
    strictEngines: false,
    access: input.toolchain,
    signal: thread.signal,
    onProgress: (tool) => thread.progress('toolchain', null, `fetching ${tool}`),
  });
}

/** What scripts expect of whoever runs them; https://docs.npmjs.com/cli/using-npm/scripts#environment */
function npmVariables({ name, version }: PackageManifest, tools: Tools, workspace: string): Record<string, string> {
  const { packageManager, nodePath, binPaths } = tools;
  const manager = packageManager.name;
  const [bin = ''] = binPaths;
  return {
    NODE: nodePath,
    INIT_CWD: workspace,
    npm_node_execpath: nodePath,
    npm_execpath: join(bin, manager),
    npm_command: 'run-script',
    npm_package_json: join(workspace, 'package.json'),
    npm_config_user_agent: `${manager}/${packageManager.version} node/${process.platform} ${process.arch}`,
    ...(name !== undefined && { npm_package_name: name }),
    ...(version !== undefined && { npm_package_version: version }),
  };
}
