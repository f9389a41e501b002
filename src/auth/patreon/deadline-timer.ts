/** A longer time is waited for in parts: timers stand still while the machine sleeps, deadlines do not. */
const MAX_TIMER_MS = 60 * 60 * 1000;

/** Calls back when the earliest of many deadlines has come. */
export class DeadlineTimer {
  private timer: NodeJS.Timeout | undefined;
  private planning: NodeJS.Immediate | undefined;

  constructor(
    /** Epoch milliseconds; Infinity: there is none ahead. */
    private readonly earliest: (now: number) => number,
    private readonly onTime: () => void,
  ) {}

  /** Deadlines have changed; they are looked through once for all the changes of a moment. */
  plan(): void {
    this.planning ??= setImmediate(() => {
      this.planning = undefined;
      this.set();
    });
  }

  end(): void {
    clearTimeout(this.timer);
    clearImmediate(this.planning);
  }

  private set(): void {
    clearTimeout(this.timer);
    const now = Date.now();
    const waitMs = Math.min(this.earliest(now) - now + 1, MAX_TIMER_MS);
    this.timer = setTimeout(() => this.onTime(), waitMs).unref();
  }
}
