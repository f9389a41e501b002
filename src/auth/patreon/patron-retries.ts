const FIRST_MS = 1_000;
const LONGEST_MS = 10 * 60_000;
/** Within an hour. */
const MAX_ATTEMPTS = 12;

/** What is done again later, one thing at most for each patron: the last that was set. */
export class PatronRetries {
  private readonly timers = new Map<string, NodeJS.Timeout>();
  private isEnded = false;

  /** Each time after twice as long, and not before `quietMs` are over; after many times not at all. */
  after(attempt: number, quietMs: number, patreonId: string, retry: () => Promise<unknown>): void {
    if (attempt >= MAX_ATTEMPTS) return;
    const delayMs = Math.min(FIRST_MS * 2 ** attempt, LONGEST_MS);
    // Not all of them at once.
    this.set(patreonId, quietMs + delayMs * (0.5 + Math.random() / 2), retry);
  }

  set(patreonId: string, delayMs: number, retry: () => Promise<unknown>): void {
    clearTimeout(this.timers.get(patreonId));
    if (this.isEnded) return;
    const timer = setTimeout(() => {
      this.timers.delete(patreonId);
      void retry();
    }, delayMs);
    this.timers.set(patreonId, timer.unref());
  }

  end(): void {
    this.isEnded = true;
    for (const timer of this.timers.values()) clearTimeout(timer);
  }
}
