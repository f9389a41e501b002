import { existsSync } from 'node:fs';
import { join } from 'node:path';
import semver from 'semver';
import type { RunInput } from '../../../contracts/operations.js';
import type { OperationThread } from '../operation-thread.js';
import type { Command } from '../sandbox/sandbox.js';
import { provideToolchain } from '../toolchain/toolchain.js';
import { readPackageJson, type PackageManifest } from '../project/manifest.js';
import { launchEnvironment, type Tools } from './launch-environment.js';
import { chooseScript, requireStartable, type Script } from './script.js';

/** What is to be started. */
export interface LaunchPlan {
  script: Script;
  /** One after the other, each with its whole environment. */
  commands: Command[];
  /** All that package.json has. */
  scripts: Record<string, string>;
}

/** SCRIPT_NOT_FOUND, NO_PACKAGE_JSON, BAD_PACKAGE_JSON come before anything has started. */
export async function planLaunch(input: RunInput, thread: OperationThread): Promise<LaunchPlan> {
  const { workspace, home } = thread.context.paths;
  const manifest = readPackageJson(workspace);
  const script = chooseScript(manifest, input.script);
  const tools = await toolsFor(input, manifest, thread);
  const env = launchEnvironment({ manifest, tools, workspace, home, port: input.appPort, env: input.env });
  return { script, commands: commandsFor(script, manifest, tools, workspace, env), scripts: manifest.scripts };
}

/** Those of the last install; chosen now where nothing was to be installed, or the store was emptied since. */
async function toolsFor(input: RunInput, manifest: PackageManifest, thread: OperationThread): Promise<Tools> {
  const { installed, toolchain } = input;
  if (installed && [installed.nodePath, ...installed.binPaths].every((path) => existsSync(path))) return installed;
  thread.progress('toolchain', null, 'choosing Node.js and package manager');
  return provideToolchain({
    workspace: thread.context.paths.workspace,
    manifest,
    packageManager: installed?.packageManager.name,
    strictEngines: false,
    access: toolchain,
    signal: thread.signal,
    onProgress: (tool) => thread.progress('toolchain', null, `fetching ${tool}`),
  });
}

/**
 * As the package manager would: the pre-script, the script, the post-script, each in a shell. Without its own process in
 * between, which would pass on neither signals nor exit codes. But yarn 2 and later find programs in ways of their own,
 * and bun has a shell of its own: these run their scripts themselves.
 */
function commandsFor(
  { name: script, command }: Script,
  { scripts }: PackageManifest,
  { packageManager, binPaths }: Tools,
  cwd: string,
  env: Record<string, string>,
): Command[] {
  const { name, version } = packageManager;
  const major = semver.major(version);
  const start = (file: string, args: string[], more = {}): Command => ({
    purpose: 'app',
    file,
    args,
    cwd,
    stdin: 'open',
    env: { ...env, ...more },
  });
  if (name === 'bun' || (name === 'yarn' && major >= 2)) return [start(join(binPaths[0] ?? '', name), ['run', script])];
  // pnpm runs pre- and post-scripts by default from 9 on.
  const around = name === 'pnpm' && major < 9 ? {} : scripts;
  return [`pre${script}`, script, `post${script}`].flatMap((event) => {
    const text = event === script ? command : Object.hasOwn(around, event) ? around[event] : undefined;
    if (text === undefined) return [];
    requireStartable(event, text);
    return [start('/bin/sh', ['-c', text], { npm_lifecycle_event: event, npm_lifecycle_script: text })];
  });
}
