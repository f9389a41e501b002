import { Injectable, Logger } from '@nestjs/common';
import { deferred, type Deferred } from '../common/deferred.js';
import type { ProcessTree } from '../contracts/process-tree.js';
import type { App, StateReason } from '../contracts/shapes.js';
import type { AppEndCause, StoppedByStation } from '../contracts/stop-reasons.js';
import type { FromThread, ToThread } from '../contracts/worker-messages.js';
import { killTree } from '../machine/end-tree.js';
import { findTree } from '../machine/process-tree.js';
import type { RunOptions } from '../contracts/operation-options.js';

/** The thread of a running app, as far as it matters here. */
export interface SessionThread {
  post(message: ToThread): void;
  /** The thread has ended, and so has every process of the app. */
  ended: Promise<void>;
}

/** Which run an app came from. */
export interface RunOrigin {
  thread: SessionThread;
  /** Names the app's log. */
  runId: string;
  options: RunOptions;
  /** The operation that started it. */
  operationId: string;
}

export interface RunningApp extends RunOrigin {
  uid: string;
  app: App;
  tree: ProcessTree;
  /** Its start is no first try: what ends it from now on is for its restart policy, however soon. */
  isTrusted: boolean;
}

export interface EndedApp {
  app: App;
  cause: AppEndCause;
  /** Whether it had been ready before. */
  wasReady: boolean;
  /** Which limit it has broken. */
  reason?: StateReason;
}

/** Hears of the life of apps, in order, one thing at a time for each. A port: its token is this class. */
export abstract class AppListener {
  abstract onStarted(running: RunningApp): Promise<void>;
  abstract onTree(running: RunningApp): Promise<void>;
  abstract onReady(running: RunningApp): Promise<void>;
  abstract onEnded(running: RunningApp, ended: EndedApp): Promise<void>;
}

interface Session {
  running: RunningApp;
  healthy: Deferred<void>;
  ended: Promise<App>;
  end(app: App): void;
  /** Why the app is being stopped from outside, once it is. */
  stopReason?: StoppedByStation;
}

/** The apps that run now, fed by their session threads. What is to be remembered of them is the listener's business. */
@Injectable()
export class AppsService {
  private readonly logger = new Logger('Apps');
  private readonly sessions = new Map<string, Session>();
  private readonly telling = new Map<string, Promise<void>>();

  constructor(private readonly listener: AppListener) {}

  get(uid: string): RunningApp | undefined {
    return this.sessions.get(uid)?.running;
  }

  list(): RunningApp[] {
    return [...this.sessions.values()].map(({ running }) => running);
  }

  /** What a session thread says of its app. */
  handle(uid: string, message: FromThread, origin: RunOrigin): void {
    if (message.type === 'app-started') {
      this.started({ uid, app: message.app, tree: message.tree, isTrusted: false, ...origin });
    }
    const session = this.sessions.get(uid);
    if (session?.running.thread !== origin.thread) return;
    const { running } = session;
    if (message.type === 'app-tree') {
      running.app = message.app;
      running.tree = message.tree;
      this.tell(uid, () => this.listener.onTree(running));
    }
    if (message.type === 'app-ready') {
      running.app = message.app;
      this.tell(uid, () => this.listener.onReady(running));
    }
    if (message.type === 'app-healthy') session.healthy.resolve();
    if (message.type === 'app-ended') this.ended(session, message);
  }

  /** The app is being stopped from outside: its end, whatever it looks like, is no crash. */
  stopping(uid: string, reason: StoppedByStation): void {
    const session = this.sessions.get(uid);
    if (!session) return;
    session.stopReason ??= reason;
    session.running.thread.post({ type: 'stopping', reason });
  }

  /** An update has found that it lives. */
  trust(uid: string): void {
    const session = this.sessions.get(uid);
    if (session) session.running.isTrusted = true;
  }

  /** Resolves when it has passed a liveness check; at once where it has none to pass, or runs no more. */
  async whenHealthy(uid: string): Promise<void> {
    const session = this.sessions.get(uid);
    if (session?.running.options.liveness) await Promise.race([session.healthy.promise, session.ended]);
  }

  /** Resolves to the app as it ended; at once to undefined when none runs. */
  async whenEnded(uid: string): Promise<App | undefined> {
    return this.sessions.get(uid)?.ended;
  }

  /** Resolves when the listener has taken in everything that was said so far. */
  async settled(uid: string): Promise<void> {
    await this.telling.get(uid);
  }

  private started(running: RunningApp): void {
    const end = deferred<App>();
    const session: Session = { running, healthy: deferred(), ended: end.promise, end: end.resolve };
    this.sessions.set(running.uid, session);
    this.tell(running.uid, () => this.listener.onStarted(running));
    void running.thread.ended.then(() => this.lost(session));
  }

  /** A session thread that ends without a word has crashed, and its app with it. */
  private async lost(session: Session): Promise<void> {
    if (this.sessions.get(session.running.uid) !== session) return;
    // Its thread was swept by marker: this finds also those that have cleared their environment.
    await killTree(() => findTree(session.running.tree));
    const ended = { pid: null, url: null, ready: false, stoppedAt: Date.now(), stopReason: 'crashed' } as const;
    this.ended(session, { app: { ...session.running.app, ...ended }, cause: 'crashed' });
  }

  private ended(session: Session, { app, cause, reason }: Omit<EndedApp, 'wasReady'>): void {
    const { running } = session;
    const wasReady = running.app.ready;
    this.sessions.delete(running.uid);
    running.app = { ...app, stopReason: session.stopReason ?? app.stopReason };
    const endedApp = {
      app: running.app,
      cause: session.stopReason === undefined ? cause : 'stopped',
      wasReady,
      reason,
    } as const;
    this.tell(running.uid, () => this.listener.onEnded(running, endedApp));
    void this.settled(running.uid).then(() => session.end(running.app));
  }

  private tell(uid: string, what: () => Promise<void>): void {
    const told = (this.telling.get(uid) ?? Promise.resolve())
      .then(what)
      // What could not be written must not keep the rest of the app's life from being told.
      .catch((error: unknown) => this.logger.error(`The life of the app of ${uid} was not kept: ${String(error)}`))
      .finally(() => {
        if (this.telling.get(uid) === told) this.telling.delete(uid);
      });
    this.telling.set(uid, told);
  }
}
