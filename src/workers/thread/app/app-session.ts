import type { Readable } from 'node:stream';
import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises';
import { Failure } from '../../../contracts/failure.js';
import type { RunInput, RunResult } from '../../../contracts/operations.js';
import type { App } from '../../../contracts/shapes.js';
import type { AppEndCause } from '../../../contracts/stop-reasons.js';
import { shortened } from '../../../machine/bounded.js';
import type { OperationThread } from '../operation-thread.js';
import { killTree, terminateTree } from '../../../machine/end-tree.js';
import type { ProcessExit, SandboxedProcess } from '../sandbox/sandbox.js';
import { AppTree } from './app-tree.js';
import { AppWatch } from './app-watch.js';
import { endText, exitFailure, tellingLine } from './exit-failure.js';
import type { LaunchPlan } from './launch-plan.js';
import { becomesUnhealthy } from './liveness.js';
import { runWarnings } from './run-warnings.js';
import { OutputTail } from './output-tail.js';

const ENDING_POLL_MS = 25;
const DAEMON_POLL_MS = 1_000;
/** For what is left in the pipes when every process has ended. */
const DRAIN_MS = 1_000;
/** A crash of Node.js alone takes 25 lines, and names its cause in the first. */
const DIAGNOSED_LINES = 100;

/**
 * A running app, from its start until the last process of its tree has ended. It lives as long as any member of the
 * tree does: one that has become a daemon lives, though its first process is gone; one whose first process has failed
 * does not, and the rest of it is ended. The first cause of its end is the one that is told.
 */
export class AppSession {
  /** Settles when it is known how the start went; with `background: false`, how the run ended. */
  readonly outcome: Promise<RunResult>;
  /** Settles when the app has ended. Never rejects. */
  readonly ended: Promise<void>;

  private readonly app: App;
  private readonly tree: AppTree;
  private readonly watch: AppWatch;
  private readonly output = new OutputTail();
  /** Each with what settles at its end. */
  private readonly pipes: [Readable, Promise<void>][] = [];
  /** Aborted when every process has ended: ends all timers. */
  private readonly over = new AbortController();
  /** Of the last command that has ended. */
  private exit: ProcessExit = { exitCode: null, signal: null };
  private cause: AppEndCause | undefined;
  private settle!: { resolve(result: RunResult): void; reject(failure: unknown): void };

  constructor(
    private readonly plan: LaunchPlan,
    private readonly input: RunInput,
    private readonly thread: OperationThread,
  ) {
    const script = plan.script.name;
    const command = shortened(plan.script.command);
    const nowhere = { port: null, appPort: null, url: null, ready: false };
    const requested = input.requestedPort === undefined ? {} : { requestedPort: input.requestedPort };
    this.app = {
      pid: null,
      script,
      command,
      ...nowhere,
      ...requested,
      startedAt: Date.now(),
      restarts: input.restarts,
    };
    this.tree = new AppTree(thread.context.marker, () => this.tell('app-tree'));
    const publisher = thread.sandbox.publisher({
      ...input,
      anotherPort: () => thread.anotherPort(),
      giveBack: (port) => thread.giveBackPort(port),
    });
    this.watch = new AppWatch(this.app, this.tree, input, publisher, (news) => this.hear(news));
    this.outcome = new Promise((resolve, reject) => (this.settle = { resolve, reject }));
    thread.onStopping((reason) => {
      this.end('stopped');
      this.app.stopReason ??= reason;
    });
    thread.signal.addEventListener('abort', () => void this.abort(), { once: true, signal: this.over.signal });
    this.ended = this.live().catch((error: unknown) => this.settle.reject(error));
  }

  private async live(): Promise<void> {
    try {
      await this.runCommands();
      await this.treeEnds();
    } finally {
      // Whatever is left, also after an error: nothing of the app outlives its session.
      await killTree(this.tree.all);
      this.over.abort();
    }
    await this.drain();
    this.tellEnd();
  }

  /** One that got away may hold the pipes open for ever. */
  private async drain(): Promise<void> {
    const read = Promise.all(this.pipes.map(([, end]) => end));
    await Promise.race([read, delay(DRAIN_MS, undefined, { ref: false })]);
    for (const [pipe] of this.pipes) pipe.destroy();
    await read;
  }

  /** The script and what goes before and after it; the first that fails is the last. */
  private async runCommands(): Promise<void> {
    for (const command of this.plan.commands) {
      const child = await this.thread.sandbox.spawn(command);
      this.began(child);
      this.exit = await child.exited;
      await nextTurn(); // the message that it is being stopped may have come at the same time
      if (this.cause || this.exit.exitCode !== 0) return;
    }
  }

  private began(child: SandboxedProcess): void {
    const { identity, stdout, stderr, broken } = child;
    void broken?.then((reason) => this.breakDown(reason));
    const first = this.app.pid === null;
    this.app.pid = identity.pid;
    this.tree.grow(child);
    const onLine = (text: string) => {
      this.output.add(text);
      this.watch.seeLine(text);
    };
    this.pipes.push([stdout, this.thread.log.follow(stdout, 'stdout', onLine)]);
    this.pipes.push([stderr, this.thread.log.follow(stderr, 'stderr', onLine)]);
    this.tell(first ? 'app-started' : 'app-tree');
    if (!first) return;
    this.watch.begin(this.over.signal);
    if (this.input.background) void this.waitForReadiness();
  }

  /** When the time is over the app runs on, and tells later that it is ready. */
  private async waitForReadiness(): Promise<void> {
    const { signal } = this.over;
    await delay(this.input.readyTimeoutMs, undefined, { signal }).catch(() => undefined); // it has ended before
    if (!signal.aborted) this.settleAs('timeout');
  }

  /** What the commands have left running is the app as well, unless it has failed or was to run to its end only. */
  private async treeEnds(): Promise<void> {
    const failed = this.exit.exitCode !== 0;
    if (failed && !this.cause) await this.thread.checkLimits();
    if (failed || !this.input.background) this.cause ??= failed ? 'crashed' : 'exited';
    if (this.cause === 'crashed' || this.cause === 'exited') return;
    // Whoever stops the app ends its tree, from outside.
    while (this.tree.inside().length > 0) await delay(this.cause ? ENDING_POLL_MS : DAEMON_POLL_MS);
    this.cause ??= 'exited';
  }

  private hear(news: 'found' | 'ready' | 'moved'): void {
    if (news === 'found') return this.tell('app-tree');
    this.tell('app-ready');
    if (this.app.url) this.thread.log.write('system', [`The app listens at ${this.app.url}`]);
    if (news === 'moved') return;
    if (this.input.background) this.settleAs('listening');
    if (this.input.liveness) void this.guard(this.input.liveness);
  }

  private async guard(liveness: NonNullable<RunInput['liveness']>): Promise<void> {
    let isHealthy = false;
    const onPassed = () => {
      if (!isHealthy) this.thread.send({ type: 'app-healthy' });
      isHealthy = true;
    };
    const check = { ...liveness, urlNow: () => this.watch.reachableUrl, onPassed };
    if (!(await becomesUnhealthy(check, this.over.signal))) return;
    this.end('unhealthy', 'it does not answer its liveness checks');
    await terminateTree(this.tree.search, this.input.stopGraceMs);
  }

  /** Nobody would reach it any more, or it nobody: whether it comes back is for its restart policy to say. */
  private async breakDown(reason: string): Promise<void> {
    await nextTurn(); // the message that it is being stopped may have come at the same time
    if (this.cause) return;
    this.end('crashed', `its sandbox does not work any more: ${reason}`);
    await terminateTree(this.tree.search, this.input.stopGraceMs);
  }

  private async abort(): Promise<void> {
    const { code, message } = this.thread.signal.reason as Failure;
    if (code === 'TIMED_OUT') this.end('timed-out');
    else if (code === 'CANCELLED' || code === 'INTERRUPTED') this.end('cancelled');
    else this.end('limit', message);
    await killTree(this.tree.all);
  }

  /** The first cause counts. */
  private end(cause: AppEndCause, message?: string): void {
    if (this.cause) return;
    this.cause = cause;
    if (message !== undefined) this.app.stopMessage = message;
  }

  private tell(type: 'app-started' | 'app-tree' | 'app-ready'): void {
    this.thread.send({ type, app: { ...this.app }, tree: this.tree.describe() });
  }

  private settleAs(readiness: RunResult['readiness'], output?: Pick<RunResult, 'output' | 'truncated'>): void {
    const result = { ...this.app, readiness };
    this.settle.resolve({ ...result, ...output, warnings: runWarnings(result, this.input) });
  }

  private tellEnd(): void {
    const { app, plan, thread, output, cause = 'exited' } = this;
    const lines = output.lastLines(DIAGNOSED_LINES);
    Object.assign(app, { pid: null, url: null, ready: false, ...this.exit, stoppedAt: Date.now() });
    if (cause !== 'stopped') app.stopReason = cause;
    if (cause === 'crashed') app.stopMessage ??= tellingLine(lines);
    thread.log.write('system', [`The app ${endText(app)}`]);
    const reason = cause === 'limit' ? (thread.signal.reason as Failure).toData() : undefined;
    thread.send({ type: 'app-ended', app: { ...app }, cause, ...(reason && { reason }) });
    if (thread.signal.aborted) this.settle.reject(thread.signal.reason);
    else if (!this.input.background) this.settleAs('exited', output.read());
    else if (cause === 'crashed') this.settle.reject(exitFailure(app, plan.scripts, lines));
    else if (cause === 'exited') this.settleAs('exited');
    else this.settle.reject(new Failure('CANCELLED', 'The app was stopped before it was ready'));
  }
}
