import { lstatSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import semver from 'semver';
import type { RegistryAccess } from '../../../contracts/operations.js';
import { shortened } from '../../../machine/bounded.js';
import type { OperationThread } from '../operation-thread.js';
import { runCommand, type CommandEnd } from '../run-command.js';
import type { Toolchain } from '../toolchain/toolchain.js';
import { installEnvironment } from './environment.js';
import { installCommands } from './install-commands.js';
import { installFailure } from './install-failure.js';
import { InstallWatch } from './install-watch.js';
import { writeUserConfiguration } from './user-configuration.js';
import { readProjectFiles, type ProjectFiles } from '../project/project-files.js';
import { ignoredByPnpm, packagesWithScripts } from './scripts-not-run.js';

export interface InstallRequest {
  production: boolean;
  ignoreScripts: boolean;
  strictEngines: boolean;
  toolchain: Toolchain;
  registry: RegistryAccess;
}

export interface Installed {
  /** Whether the lockfile was installed exactly as it is. */
  frozen: boolean;
  /** `name@version` of packages whose install scripts did not run. */
  scriptsNotRun: string[];
  warnings: string[];
}

interface Attempt {
  command: string;
  end: CommandEnd;
  watch: InstallWatch;
}

/**
 * Installs as the lockfile says; where it does not fit package.json, as package.json says, with a warning. Rejects with a
 * Failure that names the cause, or with the reason of the abort.
 */
export async function installDependencies(request: InstallRequest, thread: OperationThread): Promise<Installed> {
  const run = new DependencyInstall(request, thread);
  return run.install();
}

class DependencyInstall {
  private readonly workspace: string;
  private readonly env: Record<string, string>;
  private readonly files: ProjectFiles;

  constructor(
    private readonly request: InstallRequest,
    private readonly thread: OperationThread,
  ) {
    const { toolchain, registry } = request;
    const { workspace, home } = thread.context.paths;
    this.workspace = workspace;
    this.files = readProjectFiles(workspace);
    this.env = installEnvironment({ ...toolchain, manager: toolchain.packageManager, home, registry });
  }

  async install(): Promise<Installed> {
    const { name } = this.request.toolchain.packageManager;
    await writeUserConfiguration(this.request.registry, this.thread);
    const warnings = this.productionWarnings();
    const lockfile = this.usableLockfile();
    let attempt = await this.attempt(lockfile !== undefined);
    const outdated = lockfile && attempt.end.exitCode !== 0 && attempt.watch.symptoms.has('outdated-lockfile');
    if (outdated) {
      warnings.push(`${lockfile} does not fit package.json: installed without it being exact; commit a current one`);
      attempt = await this.attempt(false);
    } else if (!lockfile) {
      const others = this.files.lockfiles.map(({ file }) => file).join(', ');
      if (others) warnings.push(`${name} cannot use ${others}: versions were chosen anew`);
    }
    if (attempt.end.exitCode !== 0) {
      const lastLines = this.thread.log.lastLines(20).map((line) => shortened(line));
      throw installFailure(attempt.command, attempt.end, attempt.watch, lastLines);
    }
    return {
      frozen: lockfile !== undefined && !outdated,
      scriptsNotRun: await this.scriptsNotRun(attempt.watch),
      warnings,
    };
  }

  private async attempt(frozen: boolean): Promise<Attempt> {
    const { packageManager: manager } = this.request.toolchain;
    const watch = new InstallWatch(manager.name, (...told) => this.thread.progress(...told));
    const commands = installCommands({
      ...this.request,
      manager,
      frozen,
      pnpmWorkspace: this.files.pnpmWorkspace !== undefined,
    });
    if (this.isBerry() && !this.files.lockfiles.some((one) => one.manager === 'yarn')) {
      // Without one yarn looks for the project's root in the folders above.
      const lockfile = join(this.workspace, 'yarn.lock');
      if (!lstatSync(lockfile, { throwIfNoEntry: false })) {
        writeFileSync(lockfile, '', { flag: 'wx' });
        this.thread.sandbox.giveAway(lockfile);
      }
    }
    let attempt: Attempt = { command: manager.name, end: { exitCode: 0, signal: null }, watch };
    for (const args of commands) {
      attempt = { command: [manager.name, ...args].join(' '), end: await this.command(args, watch.line), watch };
      if (attempt.end.exitCode !== 0) break;
    }
    return attempt;
  }

  private command(args: string[], onLine: (line: string) => void): Promise<CommandEnd> {
    const { packageManager, binPaths } = this.request.toolchain;
    this.thread.log.write('system', [`$ ${packageManager.name} ${args.join(' ')}`]);
    return runCommand(
      this.thread,
      {
        purpose: 'install',
        file: join(binPaths[0] ?? '', packageManager.name),
        args,
        cwd: this.workspace,
        env: this.env,
        stdin: 'empty',
      },
      onLine,
    );
  }

  private async scriptsNotRun(watch: InstallWatch): Promise<string[]> {
    if (this.request.ignoreScripts) return packagesWithScripts(this.workspace);
    const { name } = this.request.toolchain.packageManager;
    if (name === 'pnpm') return ignoredByPnpm(this.workspace);
    const locked = readProjectFiles(this.workspace).lockfiles.some(({ manager }) => manager === 'bun');
    if (name === 'bun' && locked) {
      await this.command(['pm', 'untrusted'], (line) => {
        const [, dependency, version] = /^\.\/(?:.*\/)?node_modules\/(\S+) @(\S+)$/.exec(line) ?? [];
        if (dependency && version) watch.scriptsNotRun.add(`${dependency}@${version}`);
      });
    }
    return [...watch.scriptsNotRun];
  }

  private productionWarnings(): string[] {
    const { name, version } = this.request.toolchain.packageManager;
    if (!this.request.production || !this.isBerry() || semver.major(version) >= 4) return [];
    return [
      `${name} ${version} has installed the dev dependencies too: before version 4 it takes a plugin to leave them out`,
    ];
  }

  /** The lockfile that the chosen manager wrote, in a format that the chosen version reads. */
  private usableLockfile(): string | undefined {
    const { name } = this.request.toolchain.packageManager;
    const lockfile = this.files.lockfiles.find(({ manager }) => manager === name);
    const readable = name !== 'yarn' || (lockfile?.format === 'classic') !== this.isBerry();
    return readable ? lockfile?.file : undefined;
  }

  private isBerry(): boolean {
    const { name, version } = this.request.toolchain.packageManager;
    return name === 'yarn' && semver.major(version) >= 2;
  }
}
