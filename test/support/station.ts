import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chown, mkdir, rm, symlink } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { eventually } from './eventually.js';
import { appPortRange, freePort } from './ports.js';
import { commandLine, processesMentioning } from './processes.mjs';
import { StationClient } from './station-client.js';
import { connect, type StationSocket } from './station-socket.js';
import { sharedToolchains, temporaryFolder } from './temporary-folder.mjs';

const START_MS = 180_000;
/** The server promises to be gone 20 s after SIGTERM. */
const EXIT_MS = 22_000;

export interface StationOptions {
  /** Added to the environment; `undefined` removes a variable. */
  env?: Record<string, string | undefined>;
  /** Folders to use instead of temporary ones; they are not removed. */
  dataDir?: string;
  workspaceDir?: string;
  /** `host:port` of Git servers on loopback. */
  allowedHosts?: string[];
  port?: number;
  /** A program and its arguments that start the server in their place: as another user, on a changed machine. */
  launcher?: string[];
  /** Whose the folders are, where the launcher changes the user. */
  uid?: number;
}

/** A built server as a real process of its own, with folders of its own. */
export class Station extends StationClient {
  private child?: ChildProcess;
  private readonly sockets: StationSocket[] = [];
  /** All that the server has printed so far, over all its lives. */
  output = '';

  private constructor(
    readonly port: number,
    private readonly root: string,
    readonly dataDir: string,
    readonly workspaceDir: string,
    private readonly env: NodeJS.ProcessEnv,
    private readonly launcher: string[],
  ) {
    super(`http://127.0.0.1:${port}`, 'dock_administrator-of-the-tests');
  }

  static async start(options: StationOptions = {}): Promise<Station> {
    const root = await temporaryFolder('station');
    const dataDir = options.dataDir ?? join(root, 'data');
    const workspaceDir = options.workspaceDir ?? join(root, 'workspace');
    if (options.uid === undefined) await shareToolchains(dataDir);
    else await chown(root, options.uid, options.uid);
    const env = {
      APP_PORT_RANGE: appPortRange(),
      GIT_ALLOWED_HOSTS: options.allowedHosts?.join(','),
      ...options.env,
    };
    const { port = await freePort(), launcher = [] } = options;
    const station = new Station(port, root, dataDir, workspaceDir, env, launcher);
    try {
      await station.launch();
    } catch (error) {
      await station.close();
      throw error;
    }
    return station;
  }

  get pid(): number | undefined {
    return this.child?.pid;
  }

  /** Resolves with how the server ended. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
    const { child } = this;
    if (!child) throw new Error('The station is not running');
    const exited = once(child, 'exit', { signal: AbortSignal.timeout(EXIT_MS) });
    child.kill(signal);
    const [code, killedBy] = (await exited) as [number | null, NodeJS.Signals | null];
    return { code, signal: killedBy };
  }

  /** Starts it again on the same port and folders, after a SIGTERM where it still runs. */
  async restart(): Promise<void> {
    if (this.child) await this.kill('SIGTERM');
    await this.launch();
  }

  /** A connected socket with the administrator's key, another one, or (`null`) none; closed with the station. */
  async socket({ apiKey = this.adminKey }: { apiKey?: string | null } = {}): Promise<StationSocket> {
    const socket = await connect(this.url, apiKey);
    this.sockets.push(socket);
    return socket;
  }

  /** Ends the server, and rejects when that takes too long or when a process of its repositories has outlived it. */
  async close(): Promise<void> {
    for (const socket of this.sockets.splice(0)) socket.close();
    const tooSlow = this.child && (await this.kill('SIGTERM').then(() => undefined, String));
    if (this.child) await this.kill('SIGKILL');
    const left = [...new Set([this.root, this.dataDir, this.workspaceDir].flatMap(processesMentioning))];
    const commands = left.map(commandLine);
    for (const pid of left) process.kill(pid, 'SIGKILL');
    await rm(this.root, { recursive: true, force: true, maxRetries: 3 });
    if (tooSlow) throw new Error(`The station did not end on SIGTERM: ${tooSlow}\n${this.output}`);
    if (commands.length > 0) throw new Error(`Processes outlived the station:\n${commands.join('\n')}`);
  }

  private async launch(): Promise<void> {
    const [file, ...args] = [...this.launcher, process.execPath, resolve('dist/station-loader.cjs')];
    const child = spawn(file, args, {
      cwd: this.root,
      env: this.environment(),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child = child;
    child.once('exit', () => (this.child = undefined));
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => (this.output += text));
    }
    await eventually('the station is ready', () => this.isReady(), START_MS);
  }

  private async isReady(): Promise<boolean> {
    if (!this.child) throw new Error(`The station ended at its start:\n${this.output}`);
    const status = await fetch(`${this.url}/health/ready`).then(
      (response) => response.status,
      () => undefined, // it does not listen yet
    );
    return status === 200;
  }

  /** As a user's shell would give it; nothing of the test runner's. */
  private environment(): NodeJS.ProcessEnv {
    const { NODE_ENV, NODE_OPTIONS, JEST_WORKER_ID, ...shell } = process.env;
    return {
      ...shell,
      PORT: String(this.port),
      DATA_DIR: this.dataDir,
      WORKSPACE_DIR: this.workspaceDir,
      ADMIN_API_KEY: this.adminKey,
      RATE_LIMIT: '0', // a test asks faster than anybody may
      ...this.env,
    };
  }
}

/** A toolchain is the same for every station, and each takes seconds to fetch and to unpack. */
async function shareToolchains(dataDir: string): Promise<void> {
  await mkdir(sharedToolchains(), { recursive: true });
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  await symlink(sharedToolchains(), join(dataDir, 'toolchains')).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error; // a folder that an earlier station has used
  });
}
