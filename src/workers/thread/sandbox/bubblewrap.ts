import { spawn, spawnSync } from 'node:child_process';
import { closeSync, lchownSync, lstatSync } from 'node:fs';
import { basename, join } from 'node:path';
import { Failure } from '../../../contracts/failure.js';
import { TREE_MARKER } from '../../../contracts/process-tree.js';
import type { SandboxPlan } from '../../../contracts/sandbox-plan.js';
import { HostPublisher } from '../ports/host-publisher.js';
import { NetworkPublisher } from '../ports/network-publisher.js';
import type { PublishedPorts, Publisher } from '../ports/publisher.js';
import { shellQuoted } from '../shell-quoted.js';
import { makePlainFolder } from '../workspace/plain-folder.js';
import type { CpuGroup } from './cpu-group.js';
import { withoutInherited } from './descriptors.js';
import { BEGIN_GIT, gitProgram } from './git-program.js';
import { gitView, manifestView } from './workspace-view.js';
import { FIRST_FREE_DESCRIPTOR, INIT, Launch, PIPES } from './launch.js';
import { LaunchChain } from './launch-chain.js';
import { hostnameOf, LaunchFolder } from './launch-folder.js';
import { limitArguments } from './limit-arguments.js';
import { CLOSING, mountArguments, ownPaths } from './mounts.js';
import { planRoutes, PrivateNetwork } from './private-network.js';
import type { Command, CommandPurpose, GitProgram, Sandbox, SandboxContext, SandboxedProcess } from './sandbox.js';
import { SYSTEM_PATH } from './system-program.js';

const NAMESPACES = [
  '--unshare-user',
  '--unshare-pid',
  '--unshare-ipc',
  '--unshare-uts',
  '--unshare-cgroup-try',
  '--die-with-parent',
  '--new-session',
  '--disable-userns',
  '--cap-drop',
  'ALL',
];

/** Every command in namespaces of its own: it sees the system, its repository and its home, and no process but its own. */
export class Bubblewrap implements Sandbox {
  private readonly user: number;
  private readonly folder: LaunchFolder;
  private readonly networks: PrivateNetwork[] = [];

  constructor(
    private readonly plan: SandboxPlan,
    private readonly context: SandboxContext,
    private readonly cpu?: CpuGroup,
  ) {
    this.user = plan.machine.user ?? process.geteuid?.() ?? 0;
    this.folder = new LaunchFolder(context, this.user);
  }

  async spawn(command: Command): Promise<SandboxedProcess> {
    const { machine, limits } = this.plan;
    const { workspace } = this.context.paths;
    const variables = variableArguments(command);
    const chain = this.prepare(command.purpose);
    const isPrivate = this.isPrivate(command.purpose);
    const { routes, relays } = isPrivate ? await planRoutes(machine) : { routes: [], relays: [] };
    const view = gitView(workspace, chain.sourceOf, FIRST_FREE_DESCRIPTOR);
    const manifest = manifestView(workspace, FIRST_FREE_DESCRIPTOR + view.descriptors.length);
    const seen = [...view.descriptors, ...manifest.descriptors];
    const filter = this.folder.openFilter();
    const descriptors = [...seen, ...(filter === undefined ? [] : [filter])];
    const filtered = filter === undefined ? [] : ['--seccomp', String(FIRST_FREE_DESCRIPTOR + seen.length)];
    const [file = '', ...args] = [
      ...(isPrivate ? chain.startWithNetwork(routes) : chain.start),
      ...this.bwrap(command.purpose, chain),
      ...view.args,
      ...manifest.args,
      ...filtered,
      ...CLOSING,
      '--chdir',
      command.cwd,
      '--as-pid-1',
      '--args',
      String(PIPES.arguments),
      '--info-fd',
      String(PIPES.news),
      '--',
      ...limitArguments(limits),
      '/bin/sh',
      '-c',
      INIT,
      'sh',
      command.file,
      ...command.args,
    ];
    const env = { PATH: SYSTEM_PATH, [TREE_MARKER]: this.context.marker };
    const pipes = Object.values(PIPES).map(() => 'pipe' as const);
    const stdin = command.stdin === 'open' ? 'pipe' : 'ignore';
    const stdio = withoutInherited([stdin, 'pipe', 'pipe', ...pipes, ...descriptors]);
    const child = spawn(file, args, { cwd: '/', env, detached: true, stdio });
    this.cpu?.take(child.pid);
    const launch = new Launch(child, command.file);
    for (const descriptor of descriptors) closeSync(descriptor);
    launch.give(variables);
    if (!isPrivate) return launch.begin();
    const options = { chain, machine, folder: this.folder.path, env };
    const network = await PrivateNetwork.attach(await launch.holder(), relays, options);
    this.networks.push(network);
    return { ...(await launch.begin()), broken: network.broken };
  }

  /** Inside, with the environment and in the folder that it is given. */
  git(): GitProgram {
    const chain = this.prepare('git');
    const before = [...chain.start, ...this.bwrap('git', chain), ...CLOSING].map(shellQuoted).join(' ');
    // Of a file that grows too large git says nothing that tells why: what it writes is only measured.
    const limits = limitArguments({ ...this.plan.limits, diskMb: null });
    const after = ['--', ...limits, ...BEGIN_GIT].map(shellQuoted).join(' ');
    // The PATH of the server may have a folder that depends on where one is, and here that is the repository.
    const setting = `export PATH=${SYSTEM_PATH}\n${this.cpu?.shellCommand ?? ''}`;
    return gitProgram(this.folder, setting, `setsid ${before} --chdir / ${after}`);
  }

  publisher(ports: PublishedPorts): Publisher {
    return this.isPrivate('app') ? new NetworkPublisher(() => this.networks.at(-1), ports) : new HostPublisher(ports);
  }

  giveAway(...paths: string[]): void {
    const { user } = this.plan.machine;
    if (user !== undefined) for (const path of paths) lchownSync(path, user, user);
  }

  async dispose(): Promise<void> {
    await Promise.all(this.networks.splice(0).map((network) => network.dispose()));
    await this.folder.remove();
    this.cpu?.remove();
  }

  private isPrivate(purpose: CommandPurpose): boolean {
    return this.plan.network.mode === 'private' && purpose !== 'git';
  }

  private bwrap(purpose: CommandPurpose, { sourceOf }: LaunchChain): string[] {
    const { machine } = this.plan;
    const { paths, repoId } = this.context;
    const { temporary, empty } = this.folder;
    const id = String(this.user);
    return [
      'bwrap',
      ...NAMESPACES,
      '--uid',
      id,
      '--gid',
      id,
      '--hostname',
      hostnameOf(repoId),
      ...mountArguments({ purpose, paths, machine, temporary, empty, sourceOf }),
      ...this.folder
        .etcFiles(this.isPrivate(purpose))
        .flatMap(({ path, target }) => ['--ro-bind', sourceOf(path), target]),
    ];
  }

  /** Makes the folders that a command needs. What there is to be mounted may be more at the next one. */
  private prepare(purpose: CommandPurpose): LaunchChain {
    const { machine } = this.plan;
    const { paths } = this.context;
    this.folder.make();
    for (const folder of [paths.staging, paths.home, join(paths.home, 'tmp'), this.folder.temporary]) {
      makePlainFolder(folder);
      this.giveAway(folder);
    }
    // One that was loaded while the station ran as another user, or without a sandbox.
    const owner = lstatSync(paths.workspace, { throwIfNoEntry: false })?.uid;
    if (machine.user !== undefined && owner !== undefined && owner !== machine.user) {
      spawnSync('chown', ['-Rh', `${machine.user}:${machine.user}`, paths.workspace, paths.home]);
    }
    return new LaunchChain(machine, [...ownPaths(purpose, paths, machine), this.folder.path]);
  }
}

/** BAD_REQUEST for a NUL, which ends an argument of bwrap's: what follows it would be an order. */
function variableArguments({ env, file }: Command): string[] {
  const orders = Object.entries(env).flatMap(([name, value]) => ['--setenv', name, value]);
  if (orders.some((order) => order.includes('\0'))) {
    throw new Failure('BAD_REQUEST', `a variable contains a NUL character: could not start ${basename(file)}`);
  }
  return orders;
}
