import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { chmodSync, closeSync, openSync } from 'node:fs';
import { connect, createServer, isIPv4, type Server } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { Failure } from '../../../contracts/failure.js';
import { isLoopbackAddress, SPECIAL_V4 } from '../../../contracts/public-address.js';
import type { SandboxMachine } from '../../../contracts/sandbox-plan.js';
import { identify } from '../../../machine/live-processes.js';
import type { PortForwarder } from '../ports/publisher.js';
import type { LaunchChain } from './launch-chain.js';
import { ended, Relay } from './relay.js';

/** As slirp4netns lays it out: the way out, and the address of what lives inside. */
const GATEWAY = '10.0.2.2';
const INSIDE = '10.0.2.100';
/** Names are resolved by the host, whichever server it asks. */
export const NAME_SERVER = '10.0.2.3';

/** A server of the host that is reached from inside though its address is closed to the network. */
interface Passage {
  port: number;
  /** On the host's own loopback: through a relay. Else by a route of its own. */
  address: string;
}

export interface NetworkOptions {
  chain: LaunchChain;
  machine: SandboxMachine;
  /** For its sockets. */
  folder: string;
  env: Record<string, string>;
}

/** Finds out which roads a private network has. */
export async function planRoutes({ reachable }: SandboxMachine): Promise<{ routes: string[]; relays: Passage[] }> {
  const found = await Promise.all(
    reachable.map(async ({ host, port }) => {
      const addresses = await lookup(host, { all: true, family: 4 }).catch(() => []);
      return addresses.map(({ address }): Passage => ({ address, port }));
    }),
  );
  const passages = found.flat();
  const own = Object.values(networkInterfaces()).flatMap((list = []) => list.map(({ address }) => address));
  const closed = [
    // What is not the internet, the metadata service of clouds among it; and the host under its other addresses.
    ...SPECIAL_V4.filter(([network]) => network !== '127.0.0.0').map(([network, prefix]) => `${network}/${prefix}`),
    ...own.filter((address) => isIPv4(address) && !address.startsWith('127.')).map((address) => `${address}/32`),
  ];
  const open = new Set(
    passages.filter(({ address }) => !isLoopbackAddress(address)).map(({ address }) => `${address}/32`),
  );
  return {
    routes: [
      ...[...new Set(closed)]
        .filter((network) => !open.has(network))
        .map((network) => `route add unreachable ${network}`),
      ...[...open].map((network) => `route add ${network} via ${GATEWAY}`),
    ],
    relays: passages.filter(({ address }) => isLoopbackAddress(address)),
  };
}

/**
 * The network of one command: a port space of its own, the internet through slirp4netns, nothing of the host. The
 * namespaces are those of the process that waits in them.
 */
export class PrivateNetwork implements PortForwarder {
  /** Resolves with the reason when it works no longer, though the command lives. */
  readonly broken: Promise<string>;
  private break!: (reason: string) => void;
  private readonly namespaces: number[] = [];
  private readonly helpers: ChildProcess[] = [];
  private readonly servers: Server[] = [];
  private relay?: Relay;
  /** Port of the host → what its road is closed by. */
  private readonly published = new Map<number, number>();
  private readonly directory: number;
  /** From then on the numbers of its descriptors may be those of another thread. */
  private isOver = false;

  private constructor(
    private readonly holder: number,
    private readonly options: NetworkOptions,
  ) {
    this.directory = openSync(options.folder, 'r');
    this.broken = new Promise((resolve) => (this.break = resolve));
  }

  static async attach(pid: number, relays: Passage[], options: NetworkOptions): Promise<PrivateNetwork> {
    const network = new PrivateNetwork(pid, options);
    try {
      for (const kind of ['user', 'net']) network.namespaces.push(openSync(`/proc/${pid}/ns/${kind}`, 'r'));
      await network.connectOut();
      for (const [index, relay] of relays.entries()) await network.letThrough(relay, index);
      return network;
    } catch (error) {
      await network.dispose();
      throw error;
    }
  }

  /**
   * Has a port of the host lead to where the app listens. False where somebody else has the port by now. Not by
   * slirp4netns: its queue holds two connections that it has not accepted yet, and a third one waits for a second.
   */
  async publish(host: string, port: number, app: { address: string; port: number }): Promise<boolean> {
    if (this.isOver) return false;
    // One that listens on any address is not to take whoever comes from outside for somebody on its own machine.
    const address = isLoopbackAddress(app.address) ? app.address : INSIDE;
    try {
      const road = { outside: { host, port }, to: { host: address, port: app.port } };
      this.published.set(port, await this.theRelay.open(road));
      return true;
    } catch {
      return false;
    }
  }

  async unpublish(port: number): Promise<void> {
    const road = this.published.get(port);
    this.published.delete(port);
    if (road !== undefined) await this.relay?.close(road).catch(() => undefined); // it has ended, and so has the road
  }

  /** Resolves when nothing of it is left: a process that nobody waits for stays as a zombie. */
  async dispose(): Promise<void> {
    this.isOver = true;
    for (const server of this.servers) server.close();
    for (const helper of this.helpers) helper.kill('SIGKILL');
    await Promise.all([...this.helpers.map(ended), this.relay?.dispose()]);
    for (const descriptor of [...this.namespaces.splice(0), this.directory]) closeSync(descriptor);
  }

  private async connectOut(): Promise<void> {
    const { holder } = this;
    const asRoot = this.options.machine.user !== undefined;
    const slirp = this.start(
      [
        // It needs more rights than a sandbox has: as root it gives up what it does not need itself.
        'setpriv',
        '--pdeathsig',
        'KILL',
        'slirp4netns',
        '--configure',
        '--disable-host-loopback',
        '--mtu=65520',
        ...(asRoot ? ['--enable-sandbox', '--enable-seccomp'] : []),
        '--ready-fd=3',
        '--netns-type=path',
        `--userns-path=/proc/${holder}/ns/user`,
        `/proc/${holder}/ns/net`,
        'tap0',
      ],
      ['ignore', 'ignore', 'pipe', 'pipe'],
    );
    const [said, ready] = [slirp.stderr, slirp.stdio[3]].map((pipe) => text(pipe as Readable));
    // It writes one byte, and closes it when it ends.
    if ((await ready) === '') throw new Failure('SANDBOX_UNAVAILABLE', `${lastLine((await said) ?? '')}: slirp4netns`);
    void ended(slirp).then(() => this.isNeeded() && this.break('slirp4netns has ended'));
  }

  /** From inside to one port of the host's loopback, by a socket in a folder: that leads through every namespace. */
  private async letThrough({ address, port }: Passage, index: number): Promise<void> {
    const name = `out-${index}`;
    const server = createServer((inside) => {
      const outside = connect(port, address);
      inside.on('error', () => outside.destroy()).pipe(outside);
      outside.on('error', () => inside.destroy()).pipe(inside);
    });
    server.unref();
    this.servers.push(server);
    server.listen(this.socket(name));
    await once(server, 'listening');
    chmodSync(this.socket(name), 0o666);
    await this.theRelay.open({ inside: { host: address, port }, to: { path: `/proc/self/fd/5/${name}` } });
  }

  /** Started when it is needed. */
  private get theRelay(): Relay {
    const { chain, folder: cwd, env } = this.options;
    const enter = ['nsenter', '--user=/proc/self/fd/3', '--net=/proc/self/fd/4', '--preserve-credentials'];
    const descriptors = [...this.namespaces, this.directory];
    return (this.relay ??= new Relay({
      enter: [...chain.asUser, ...enter],
      descriptors,
      cwd,
      env,
      isNeeded: this.isNeeded,
      onBroken: this.break,
    }));
  }

  /** What has ended its helpers may be about to end the whole tree. */
  private readonly isNeeded = (): boolean => !this.isOver && identify(this.holder) !== undefined;

  private start([file = '', ...args]: string[], stdio: StdioOptions): ChildProcess {
    const { folder, env } = this.options;
    const helper = spawn(file, args, { cwd: folder, env, stdio, detached: true });
    helper.on('error', () => undefined); // its output ends, and that is told
    helper.unref();
    this.helpers.push(helper);
    return helper;
  }

  /** The path of a socket may not be longer than 107 bytes: this one never is. */
  private socket(name: string): string {
    return `/proc/self/fd/${this.directory}/${name}`;
  }
}

/** The last lines say why. */
const lastLine = (output: string): string =>
  output.trim().split('\n').slice(-2).join('; ') || 'it ended without a word';
