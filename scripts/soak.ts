import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import type { Operation } from '../src/contracts/shapes.js';
import { eventually } from '../test/support/eventually.js';
import { packageJson, programs } from '../test/support/fixtures.js';
import type { GitRepository } from '../test/support/git-repository.js';
import { GitServer } from '../test/support/git-server.js';
import { ask, type StationSocket } from '../test/support/station-socket.js';
import { Station } from '../test/support/station.js';
import { sharedToolchains } from '../test/support/temporary-folder.mjs';
import { filesOf, processesOf } from '../test/support/traces.js';

/**
 * `npm run test:soak [cycles]`: an app with children, grandchildren and a daemon is run and ended again and again, by
 * every kind of end, on one station. What is left at the end is counted and printed; anything at all is a failure.
 */
const CYCLES = Number(process.argv[2] ?? 500);
const REPOSITORIES = 3;
/** Before it nothing is counted: caches fill, threads start ahead of need. */
const WARM_UP = 20;
/** One cycle of so many, at random, ends with the server. */
const SERVER_KILLS_EVERY = 25;
/** Of so many: in the middle of a start, of a run, of an update. */
const THREAD_DEATHS_MS = [20, 100, 300, 700, 1_500];
const MAX_GROWTH_MB = 64;
const MEMORY = 'memory of the server in MiB';
const START = './double-forks.sh node waits.js; node detached-child.js waits.js & node listens.js';

/** Reproducible: the same seed ends the same apps in the same ways. */
let seed = 20_261_126;
const random = (below: number): number => {
  seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fff_ffff;
  return (seed >>> 12) % below; // the lower bits of such a generator repeat themselves
};

const OPEN_FILES = 'file descriptors of the server';

interface Figures {
  'processes of repositories': number;
  'zombies of the server': number;
  'ports of apps in use': number;
  [OPEN_FILES]: number;
  [MEMORY]: number;
  'folders of repositories': number;
  'operations without an end': number;
}

const ENDS = [
  'stop',
  'kill the app',
  'kill one of the tree',
  'cancel the start',
  'time out',
  'stop twice at once',
  'let its thread die',
] as const;

interface Docked {
  repoId: string;
  repository: GitRepository;
}

class Soak {
  readonly counts = new Map<string, number>();

  constructor(
    private readonly station: Station,
    private readonly docked: Docked[],
    private readonly ports: { first: number; last: number },
  ) {}

  async cycle(index: number): Promise<void> {
    const { repoId, repository } = this.docked[index % REPOSITORIES] as Docked;
    if (random(SERVER_KILLS_EVERY) === 0) return this.killServer(repoId, repository);
    const end = ENDS[random(ENDS.length)] ?? 'stop';
    this.counts.set(end, (this.counts.get(end) ?? 0) + 1);
    if (end === 'time out') {
      await this.station.run(repoId, { background: false, timeoutMs: 700 + random(600) });
      return;
    }
    if (end === 'cancel the start') return this.cancelStart(repoId);
    if (end === 'let its thread die') return this.runInDyingThread(repoId);
    const { status, body } = await this.station.run(repoId, { restartPolicy: 'no' });
    if (status !== 200) throw new Error(`cycle ${index}: ${body.code} ${body.detail}`);
    if (end === 'kill the app') process.kill(Number(body.result.pid), 'SIGKILL');
    if (end === 'kill one of the tree') this.killOne(body.uid);
    await Promise.all([this.stop(repoId), ...(end === 'stop twice at once' ? [this.stop(repoId)] : [])]);
  }

  async figures(): Promise<Figures> {
    const pid = Number(this.station.pid);
    const resident = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1];
    return {
      'processes of repositories': processesOf(this.station).length,
      'zombies of the server': zombiesOf(pid),
      'ports of apps in use': listeningIn(this.ports),
      [OPEN_FILES]: this.openFiles(),
      [MEMORY]: Math.round(Number(resident) / 1024),
      'folders of repositories': filesOf(this.station).filter((name) => !name.startsWith('.manifests')).length,
      'operations without an end': await this.unfinished(),
    };
  }

  openFiles(): number {
    const pid = Number(this.station.pid);
    return readdirSync(`/proc/${pid}/fd`).filter((name) => isOpen(pid, name)).length;
  }

  private async unfinished(): Promise<number> {
    const { body } = await this.station.api<{ operations: Operation[] }>('GET', '/operations?limit=200');
    return body.result.operations.filter(({ finishedAt }) => finishedAt === undefined).length;
  }

  private async stop(repoId: string): Promise<void> {
    const { status, body } = await this.station.stop(repoId, { graceMs: 300 });
    if (status !== 200) throw new Error(`stop: ${body.code} ${body.detail}`);
  }

  private async cancelStart(repoId: string): Promise<void> {
    const socket: StationSocket = await this.station.socket();
    const begun = new Promise<string>((tell) => {
      socket.on('repo-notification', ({ operation, operationId }) => operation === 'run' && tell(operationId));
      socket.on('repo-event', ({ state, operationId }) => state === 'running' && operationId && tell(operationId));
    });
    const run = ask(socket, { operation: 'run', repoId });
    await this.station.cancel(await begun);
    await run;
    socket.close();
    await this.stop(repoId);
  }

  /** Whether the app was ready by then or not: it ends with its thread. */
  private async runInDyingThread(repoId: string): Promise<void> {
    const script = `exits-after-${THREAD_DEATHS_MS[random(THREAD_DEATHS_MS.length)]}`;
    const { body } = await this.station.run(repoId, { script, restartPolicy: 'no' });
    await eventually('the app has ended with its thread', () => processesOf(this.station, body.uid).length === 0);
    await this.stop(repoId);
  }

  private killOne(uid: string): void {
    const pids = processesOf(this.station, uid);
    const pid = pids[random(Math.max(1, pids.length))];
    try {
      if (pid !== undefined) process.kill(pid, 'SIGKILL');
    } catch {
      // it has ended meanwhile
    }
  }

  /** In the middle of whatever; an app that ran is back afterwards, or can be started. */
  private async killServer(repoId: string, repository: GitRepository): Promise<void> {
    const asked = ['a run', 'a stop', 'an update', 'nothing'][random(4)] ?? 'nothing';
    const end = `kill the server in ${asked}`;
    this.counts.set(end, (this.counts.get(end) ?? 0) + 1);
    if (asked !== 'a run') await this.station.run(repoId);
    await repository.commit({ 'changed.txt': String(random(1_000_000)) });
    const answer = this.ask(asked, repoId).catch(() => undefined); // its connection breaks
    await delay(random(1_500));
    await this.station.kill('SIGKILL');
    await answer;
    await this.station.restart();
    if (asked === 'nothing') await this.returns(repoId);
    await this.stop(repoId);
  }

  private async ask(asked: string, repoId: string): Promise<unknown> {
    if (asked === 'a run') return this.station.run(repoId);
    if (asked === 'a stop') return this.station.stop(repoId);
    return asked === 'an update' ? this.station.update(repoId, { restart: true }) : undefined;
  }

  private async returns(repoId: string): Promise<void> {
    const isBack = async () => (await this.station.entry(repoId)).body.result.app?.ready === true;
    await eventually('the app is back', isBack, 30_000);
  }
}

function zombiesOf(parent: number): number {
  return readdirSync('/proc').filter((name) => {
    if (!/^\d+$/.test(name)) return false;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'latin1');
      const [state, ppid] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return state === 'Z' && Number(ppid) === parent;
    } catch {
      return false;
    }
  }).length;
}

function listeningIn({ first, last }: { first: number; last: number }): number {
  const lines = ['tcp', 'tcp6'].flatMap((table) => readFileSync(`/proc/net/${table}`, 'latin1').split('\n'));
  const ports = lines.flatMap((line) => {
    const [, local = '', , state] = line.trim().split(/\s+/);
    return state === '0A' ? [Number.parseInt(local.split(':')[1] ?? '', 16)] : [];
  });
  return ports.filter((port) => port >= first && port <= last).length;
}

function isOpen(pid: number, descriptor: string): boolean {
  try {
    return readlinkSync(`/proc/${pid}/fd/${descriptor}`) !== '';
  } catch {
    return false;
  }
}

async function main(): Promise<void> {
  const git = await GitServer.start();
  const first = 20_000 + (process.pid % 100) * 100; // another soak beside this one has others
  const ports = { first, last: first + 99 };
  const env = {
    APP_PORT_RANGE: `${ports.first}-${ports.last}`,
    NODE_OPTIONS: `--import=${pathToFileURL(resolve('test/fixtures/workers/faults.js')).href}`,
  };
  const station = await Station.start({ allowedHosts: [git.host], env });
  try {
    const docked: Docked[] = [];
    const deaths = Object.fromEntries(THREAD_DEATHS_MS.map((ms) => [`exits-after-${ms}`, START]));
    for (let index = 0; index < REPOSITORIES; index += 1) {
      const files = { 'package.json': packageJson({ start: START, ...deaths }), ...programs() };
      const repository = await git.createRepository(`soak/app${index}`, { files });
      docked.push({ repository, repoId: (await station.clone(repository.url)).body.repoId });
    }
    const soak = new Soak(station, docked, ports);
    for (let index = 0; index < WARM_UP; index += 1) await soak.cycle(index);
    const before = await soak.figures();
    const begun = Date.now();
    for (let index = WARM_UP; index < CYCLES; index += 1) {
      await soak.cycle(index);
      if (index % 50 === 0) console.log(`${index} of ${CYCLES}`);
    }
    const seconds = (Date.now() - begun) / 1000;
    for (const { repoId } of docked) await station.unload(repoId);
    // Idle connections of this client are closed after some seconds.
    await eventually('all connections are closed', () => soak.openFiles() <= before[OPEN_FILES], 30_000).catch(String);
    const after = await soak.figures();
    console.log(
      `${CYCLES} cycles, ${(seconds / (CYCLES - WARM_UP)).toFixed(2)} s each:`,
      Object.fromEntries(soak.counts),
    );
    console.table({ before, after });
    const { body } = await station.api<{ count: number }>('GET', '/repo/list');
    const grown = after[OPEN_FILES] - before[OPEN_FILES];
    const swollen = after[MEMORY] - before[MEMORY];
    const { [OPEN_FILES]: _files, [MEMORY]: _memory, ...left } = after;
    const isClean = Object.values(left).every((count) => count === 0) && body.result.count === 0;
    if (!isClean || grown > 5 || swollen > MAX_GROWTH_MB) process.exitCode = 1;
    console.log(process.exitCode ? 'Something was left behind.' : 'Nothing was left behind.');
  } finally {
    await station.close();
    await git.close();
    await rm(sharedToolchains(), { recursive: true, force: true });
  }
}

await main();
