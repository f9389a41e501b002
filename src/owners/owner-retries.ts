/** When what has failed for an owner is tried again: less and less often, until it has gone through. */
export class OwnerRetries {
  private readonly timers = new Map<string, NodeJS.Timeout>();
  private readonly delays = new Map<string, number>();

  constructor(
    private readonly firstMs: number,
    private readonly maxMs: number,
  ) {}

  /** Nothing where another try is waited for already. */
  later(owner: string, again: () => void): void {
    if (this.timers.has(owner)) return;
    const delayMs = this.delays.get(owner) ?? this.firstMs;
    this.delays.set(owner, Math.min(2 * delayMs, this.maxMs));
    const begin = () => {
      this.timers.delete(owner);
      again();
    };
    this.timers.set(owner, setTimeout(begin, delayMs).unref());
  }

  /** What fails next does so for the first time. A try that is waited for is still made. */
  startAnew(owner: string): void {
    this.delays.delete(owner);
  }

  /** Everything has gone through: there is nothing to try again. */
  done(owner: string): void {
    clearTimeout(this.timers.get(owner));
    this.timers.delete(owner);
    this.startAnew(owner);
  }

  end(): void {
    for (const timer of this.timers.values()) clearTimeout(timer);
  }
}
