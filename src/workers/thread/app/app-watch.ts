import { setTimeout as delay } from 'node:timers/promises';
import type { RunInput } from '../../../contracts/operations.js';
import type { App } from '../../../contracts/shapes.js';
import type { AppTree } from './app-tree.js';
import type { Publisher } from '../ports/publisher.js';
import { mainEndpoint, type Endpoint } from '../ports/endpoints.js';
import { ListenerWatch } from '../ports/listeners.js';
import { Readiness } from './readiness.js';

const STARTING_POLL_MS = 100;
const RUNNING_POLL_MS = 1_000;
/** Daemons leave their parents at the start, and some clear their environment: they have to be seen before. */
const CLOSE_WATCH_MS = 5_000;

/** Looks again and again at what the app's processes are and where they listen, and keeps `app` up to date. */
export class AppWatch {
  private readonly readiness: Readiness;
  private readonly listenerWatch = new ListenerWatch();
  private listeners = '';
  private endpoints: Endpoint[] = [];

  constructor(
    private readonly app: App,
    private readonly tree: AppTree,
    private readonly input: Pick<RunInput, 'appPort' | 'ready' | 'readyTimeoutMs'>,
    private readonly publisher: Publisher,
    /** `found`: where it listens, though it is not ready. `ready`: for the first time. `moved`: on other ports than before. */
    private readonly onNews: (news: 'found' | 'ready' | 'moved') => void,
  ) {
    this.readiness = new Readiness(input.ready);
  }

  seeLine(text: string): void {
    this.readiness.seeLine(text);
  }

  /** Where it is reached now; null while it listens nowhere, whoever may answer on its port meanwhile. */
  get reachableUrl(): string | null {
    return mainEndpoint(this.endpoints, this.input.appPort)?.url ?? null;
  }

  begin(signal: AbortSignal): void {
    void this.look(signal);
  }

  private async look(signal: AbortSignal): Promise<void> {
    const hurryUntil = Date.now() + Math.max(this.input.readyTimeoutMs, CLOSE_WATCH_MS);
    while (!signal.aborted) {
      await this.findEndpoints();
      if (signal.aborted) return;
      const main = mainEndpoint(this.endpoints, this.input.appPort);
      if (!this.app.ready && (await this.readiness.isReady(main)) && !signal.aborted) this.becomeReady(main);
      // What the caller waits for may never come.
      else if (this.app.ready || this.input.ready) this.follow(main);
      const hurry = !this.app.ready && Date.now() < hurryUntil;
      await delay(hurry ? STARTING_POLL_MS : RUNNING_POLL_MS, undefined, { signal }).catch(() => undefined); // over
    }
  }

  /** Asks the ports only when there are others than at the last look, or none of several has answered so far. */
  private async findEndpoints(): Promise<void> {
    const listening = this.listenerWatch.look(
      this.tree.inside().map(({ pid }) => pid),
      !this.app.ready,
    );
    const listeners = JSON.stringify(listening.own);
    const undecided = !this.app.ready && this.endpoints.length > 1 && !this.endpoints.some(({ answers }) => answers);
    if (listeners === this.listeners && !undecided) return;
    this.listeners = listeners;
    this.endpoints = await this.publisher.locate(listening);
  }

  private becomeReady(main: Endpoint | undefined): void {
    this.app.ready = true;
    this.take(main);
    this.onNews('ready');
  }

  /** A dev server that restarts itself listens nowhere for a moment: that is no news. */
  private follow(main: Endpoint | undefined): void {
    if (!main) return;
    const before = JSON.stringify([this.app.url, this.app.ports]);
    this.take(main);
    if (JSON.stringify([this.app.url, this.app.ports]) !== before) {
      this.onNews(this.app.ready ? 'moved' : 'found');
    }
  }

  private take(main: Endpoint | undefined): void {
    const ports = this.endpoints.map(({ appPort, port }) => ({ appPort, port }));
    const { port = null, appPort = null, url = null } = main ?? {};
    Object.assign(this.app, { port, appPort, url });
    if (ports.length > 1) this.app.ports = ports;
    else delete this.app.ports;
  }
}
