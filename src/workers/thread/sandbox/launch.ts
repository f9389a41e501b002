import type { ChildProcess } from 'node:child_process';
import { basename } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { Failure } from '../../../contracts/failure.js';
import type { ProcessIdentity } from '../../../contracts/process-tree.js';
import { withoutPaths } from '../../../machine/bounded.js';
import { childrenOf, identify } from '../../../machine/live-processes.js';
import { exitOfStatus } from './exit-status.js';
import { FIRST_TO_GO } from './launch-chain.js';
import { LineQueue } from './line-queue.js';
import type { ProcessExit, SandboxedProcess } from './sandbox.js';

/** Descriptors by which the parts of a sandbox and the thread talk; the scripts know them by number. */
export const PIPES = {
  /** From the first process inside: `up`, then how the command has ended. */
  status: 3,
  /** To the process that holds the network: go on. */
  go: 4,
  /** To bwrap: arguments that are in no list of processes. */
  arguments: 5,
  /** From the holder: its pid; from bwrap: that of the first process inside. */
  news: 6,
} as const;
export const FIRST_FREE_DESCRIPTOR = 7;

/**
 * The first process inside. It tells that it is there and how the command has ended, and lives as long as anything does
 * that the command has left: an app may have become a daemon.
 */
export const INIT = `exec ${PIPES.go}<&-
{ echo ${FIRST_TO_GO} >/proc/self/oom_score_adj; } 2>/dev/null
echo up >&${PIPES.status}
"$@" ${PIPES.status}>&-
echo $? >&${PIPES.status}
exec ${PIPES.status}>&-
while set -- /proc/[0-9]*; [ $# -gt 1 ]; do /bin/sleep 1; done`;

const CHILD_POLL_MS = 5;

/** A sandbox on its way from the first process of its chain to the command inside. */
export class Launch {
  private readonly news: LineQueue;
  private readonly status: LineQueue;
  private readonly root: ProcessIdentity;

  constructor(
    private readonly child: ChildProcess,
    private readonly file: string,
  ) {
    child.on('error', () => undefined); // then it has no pid, and its pipes end
    // At the end of a child Node.js throws away what nobody has begun to read: of a short command that is all of it.
    for (const output of [child.stdout, child.stderr]) output?.on('readable', () => undefined);
    this.news = new LineQueue(this.pipe('news') as Readable);
    this.status = new LineQueue(this.pipe('status') as Readable);
    this.root = identityOf(child.pid ?? 0);
    for (const name of ['go', 'arguments'] as const) this.pipe(name).on('error', () => undefined); // it has ended
  }

  /** Tells bwrap what nobody else shall see. */
  give(args: string[]): void {
    (this.pipe('arguments') as Writable).end(args.map((argument) => `${argument}\0`).join(''));
  }

  /** The pid of the process that holds the network and waits. */
  async holder(): Promise<number> {
    return Number((await this.news.next()) ?? (await this.fail()));
  }

  /** Resolves when the command has been started. SANDBOX_UNAVAILABLE when there is no sandbox to start it in. */
  async begin(): Promise<SandboxedProcess> {
    (this.pipe('go') as Writable).end('go\n');
    const init = await this.init();
    if ((await this.status.next()) !== 'up') await this.fail();
    const exited = this.exit();
    const identity = (await commandOf(init, exited)) ?? init;
    const { stdout, stderr } = this.child as { stdout: Readable; stderr: Readable };
    return { root: this.root, init, identity, stdout, stderr, exited };
  }

  /** bwrap tells it in JSON, on several lines. */
  private async init(): Promise<ProcessIdentity> {
    for (let told = ''; ;) {
      told += (await this.news.next()) ?? (await this.fail());
      const pid = Number(/"child-pid": (\d+)/.exec(told)?.[1]);
      if (pid > 0) return identityOf(pid);
    }
  }

  /** Without a word all of it was killed. Whatever comes after the first word is not from the first process. */
  private async exit(): Promise<ProcessExit> {
    const line = await this.status.next();
    this.status.close();
    return line === undefined ? { exitCode: null, signal: 'SIGKILL' } : exitOfStatus(Number(line));
  }

  private async fail(): Promise<never> {
    const { pid, stderr } = this.child;
    const said = pid && stderr ? (await text(stderr)).trim() : `${this.child.spawnfile} is not installed`;
    throw new Failure(
      'SANDBOX_UNAVAILABLE',
      `${withoutPaths(said) || 'it ended without a word'}: no sandbox for ${basename(this.file)}`,
    );
  }

  private pipe(name: keyof typeof PIPES): Readable | Writable {
    // The types of Node.js know of five descriptors only.
    const pipes = this.child.stdio as unknown as (Readable | Writable)[];
    const pipe = pipes[PIPES[name]];
    if (!pipe) throw new Error(`the sandbox was started without its pipe for ${name}`);
    return pipe;
  }
}

function identityOf(pid: number): ProcessIdentity {
  const startTime = identify(pid)?.startTime ?? 0;
  return { pid, startTime };
}

/** The command, as the host sees it; undefined when it has ended already. */
async function commandOf(init: ProcessIdentity, exited: Promise<unknown>): Promise<ProcessIdentity | undefined> {
  const over = new AbortController();
  void exited.then(() => over.abort());
  while (!over.signal.aborted && identify(init.pid)) {
    const [child] = childrenOf(init.pid);
    if (child && identify(child)) return identityOf(child);
    await delay(CHILD_POLL_MS);
  }
  return undefined;
}
