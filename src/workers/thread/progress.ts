import type { OperationThread } from './operation-thread.js';

type Report = Parameters<OperationThread['progress']>;

const INTERVAL_MS = 200;
const MAX_MESSAGE_CHARS = 200;

/**
 * Passes progress on at a pace that the main thread and its clients can take, whatever a Git server or an install script
 * writes: a phase at once when it is reached for the first time, and otherwise the latest report every 200 ms.
 */
export class Progress {
  private readonly reached = new Set<string>();
  private latest: Report | undefined;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly pass: (...report: Report) => void) {}

  readonly tell = (...[phase, percent, message]: Report): void => {
    this.latest = [phase, percent, message.slice(0, MAX_MESSAGE_CHARS)];
    if (!this.timer || !this.reached.has(phase)) this.passLatest();
    this.reached.add(phase);
  };

  /** The operation is over: nothing comes after its outcome. */
  end(): void {
    clearTimeout(this.timer);
    this.latest = undefined;
  }

  private passLatest(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    if (!this.latest) return;
    this.pass(...this.latest);
    this.latest = undefined;
    this.timer = setTimeout(() => this.passLatest(), INTERVAL_MS);
    this.timer.unref();
  }
}
