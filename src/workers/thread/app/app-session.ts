import { setTimeout as delay } from 'node:timers/promises';
import { Failure } from '../../../contracts/failure.js';
import type { RunInput, RunResult } from '../../../contracts/operations.js';
import type { ProcessTree } from '../../../contracts/process-tree.js';
import type { App } from '../../../contracts/shapes.js';
import type { AppEndCause } from '../../../contracts/worker-messages.js';
import type { OperationThread } from '../operation-thread.js';
import { findTree, killTree, terminateTree, type LiveProcess } from '../process-tree.js';
import { exitFailure } from './exit-failure.js';
import type { LaunchPlan } from './launch-plan.js';
import { listeningPorts, type ListeningPort } from './listening-ports.js';
import { Liveness } from './liveness.js';
import { OutputTail } from './output-tail.js';
import { mainPort, Readiness } from './readiness.js';

const POLL_STARTING_MS = 120;
const POLL_RUNNING_MS = 1_000;
/** For what is left in the pipes when every process has ended. */
const DRAIN_MS = 1_000;
const CONTEXT_LINES = 20;

/**
 * A running app, from its start until the last process of its tree has ended. It lives as long as any member of the
 * tree does: one that turned into a daemon lives, though its first process is gone; one whose first process failed does
 * not, and the rest of it is ended. The first cause of its end is the one that is told.
 */
export class AppSession {
  /** Settles when it is known how the start went; with `background: false`, how the run ended. */
  readonly outcome: Promise<RunResult>;
  /** Settles when the app has ended. Never rejects. */
  readonly ended: Promise<void>;

  private readonly app: App;
  private readonly tree: ProcessTree;
  private readonly readiness: Readiness;
  private readonly output = new OutputTail();
  private readonly followed: Promise<void>[] = [];
  private readonly woken = new AbortController();
  private cause: AppEndCause | undefined;
  private stopReason: string | undefined;
  private commandsEnded = false;
  private settleOutcome!: { resolve(result: RunResult): void; reject(failure: unknown): void };

  constructor(
    private readonly plan: LaunchPlan,
    private readonly input: RunInput,
    private readonly thread: OperationThread,
  ) {
    const { script, command } = plan;
    const startedAt = Date.now();
    this.app = {
      ...{ pid: null, script, command, port: null, appPort: null, url: null, ready: false, startedAt },
      restarts: input.restarts,
    };
    this.tree = { marker: thread.context.marker, seen: [] };
    this.readiness = new Readiness(input);
    this.outcome = new Promise((resolve, reject) => (this.settleOutcome = { resolve, reject }));
    thread.onStopping((reason) => this.endBecause('stopped', reason));
    thread.signal.addEventListener('abort', () => void this.abort(), { once: true });
    this.ended = this.live();
  }

  private async live(): Promise<void> {
    try {
      void this.runCommands();
      await this.watch();
      await this.finish();
    } catch (error) {
      await killTree(() => findTree(this.tree));
      this.settleOutcome.reject(error);
    }
  }

  /** The script and what npm runs before and after it; the first that fails is the last. */
  private async runCommands(): Promise<void> {
    try {
      for (const command of this.plan.commands) {
        if (this.cause) break;
        const child = await this.thread.sandbox.spawn(command);
        const first = this.tree.root === undefined;
        this.tree.root = child.identity;
        this.app.pid = child.identity.pid;
        if (first) this.thread.send({ type: 'app-started', app: { ...this.app }, tree: { ...this.tree } });
        const onLine = (text: string) => this.see(text);
        this.followed.push(this.thread.log.follow(child.stdout, 'stdout', onLine));
        this.followed.push(this.thread.log.follow(child.stderr, 'stderr', onLine));
        const { exitCode, signal } = await child.exited;
        Object.assign(this.app, { exitCode, signal });
        if (exitCode !== 0) {
          this.endBecause('crashed');
          break;
        }
      }
    } catch (error) {
      this.settleOutcome.reject(error); // it could not be started at all
      this.endBecause('crashed');
    }
    this.commandsEnded = true;
    this.woken.abort();
  }

  private see(text: string): void {
    this.readiness.seeLine(text);
    if (!this.input.background) this.output.add(text);
  }

  /** Returns when no process is left, or when there is a cause to end those that are. */
  private async watch(): Promise<void> {
    const { background, readyTimeoutMs, liveness } = this.input;
    const deadline = Date.now() + readyTimeoutMs;
    const health = liveness && new Liveness(liveness);
    let told = !background;
    while (!this.cause) {
      const members = findTree(this.tree);
      if (this.commandsEnded && members.length === 0) return;
      this.remember(members);
      await this.observePorts(listeningPorts(members));
      if (!told && (this.app.ready || Date.now() >= deadline)) {
        told = true;
        this.settleOutcome.resolve({ ...this.app, readiness: this.app.ready ? 'listening' : 'timeout' });
      }
      if (this.app.ready && health && (await health.hasFailed(await this.portToTalkTo(members)))) {
        this.endBecause('unhealthy', 'it does not answer its liveness checks');
      }
      await this.pause(told || this.app.ready ? POLL_RUNNING_MS : POLL_STARTING_MS);
    }
  }

  /** Known from now on, even if they clear their environment and leave their parent. */
  private remember(members: LiveProcess[]): void {
    const known = new Set(this.tree.seen?.map(({ pid, startTime }) => `${pid}:${startTime}`));
    if (members.every(({ pid, startTime }) => known.has(`${pid}:${startTime}`))) return;
    this.tree.seen = members.map(({ pid, startTime }) => ({ pid, startTime }));
    this.thread.send({ type: 'app-tree', tree: { ...this.tree } });
  }

  private async observePorts(ports: ListeningPort[]): Promise<void> {
    const before = portsText(this.app);
    const wasReady = this.app.ready;
    if (!wasReady && !(await this.readiness.isReady(ports))) return;
    const main = await mainPort(ports, this.input.port);
    const pairs = ports.map(({ port }) => ({ appPort: port, port }));
    Object.assign(this.app, { ready: true, port: main?.port ?? null, appPort: main?.port ?? null });
    this.app.url = main ? urlOf(main, this.input.host) : null;
    if (pairs.length > 1) this.app.ports = pairs;
    else delete this.app.ports;
    if (!wasReady || portsText(this.app) !== before) this.thread.send({ type: 'app-ready', app: { ...this.app } });
  }

  private async portToTalkTo(members: LiveProcess[]): Promise<ListeningPort | undefined> {
    return listeningPorts(members).find(({ port }) => port === this.app.port);
  }

  /** The first cause counts. */
  private endBecause(cause: AppEndCause, reason?: string): void {
    this.cause ??= cause;
    this.stopReason ??= reason;
    this.woken.abort();
  }

  private async abort(): Promise<void> {
    const { code } = this.thread.signal.reason as Failure;
    this.endBecause(code === 'TIMED_OUT' ? 'timed-out' : 'cancelled', code === 'TIMED_OUT' ? 'timed out' : 'cancelled');
  }

  private async finish(): Promise<void> {
    // Whoever stops the app ends its tree from outside; after that nothing is found here.
    if (this.cause === 'stopped') await this.treeIsGone();
    else if (this.cause === 'unhealthy') await terminateTree(() => findTree(this.tree), this.input.stopGraceMs);
    else await killTree(() => findTree(this.tree));
    while (!this.commandsEnded) await delay(10);
    await Promise.race([Promise.all(this.followed), delay(DRAIN_MS)]);
    const cause = this.cause ?? 'exited';
    Object.assign(this.app, { pid: null, ready: false, stoppedAt: Date.now() });
    if (this.stopReason !== undefined) this.app.stopReason = this.stopReason;
    const lastLines = this.thread.log.lastLines(CONTEXT_LINES);
    this.thread.send({ type: 'app-ended', app: { ...this.app }, cause, lastLines });
    this.tellOutcome(cause, lastLines);
  }

  private tellOutcome(cause: AppEndCause, lastLines: string[]): void {
    const result: RunResult = { ...this.app, readiness: 'exited' };
    if (this.thread.signal.aborted) this.settleOutcome.reject(this.thread.signal.reason);
    else if (!this.input.background) this.settleOutcome.resolve({ ...result, ...this.output.read() });
    else if (cause === 'crashed') this.settleOutcome.reject(exitFailure(this.app, this.plan, lastLines));
    else this.settleOutcome.resolve(result);
  }

  private async treeIsGone(): Promise<void> {
    while (findTree(this.tree).length > 0) await delay(POLL_STARTING_MS);
  }

  private async pause(ms: number): Promise<void> {
    if (this.commandsEnded) await delay(POLL_STARTING_MS);
    else await delay(ms, undefined, { signal: this.woken.signal }).catch(() => undefined); // woken early
  }
}

const portsText = ({ port, ports }: App): string => JSON.stringify([port, ports]);

function urlOf({ address, port }: ListeningPort, host: string): string {
  if (address === '::1') return `http://[::1]:${port}`;
  const shown = host === '0.0.0.0' || host === '::' ? 'localhost' : host;
  return `http://${shown.includes(':') ? `[${shown}]` : shown}:${port}`;
}
