import { probe } from './http-probe.js';
import type { ListeningPort } from './listening-ports.js';

const FAILURES_IN_A_ROW = 3;

/** Asks a path every `intervalMs`; three times without a 2xx or 3xx in a row is a failure. */
export class Liveness {
  private failures = 0;
  private due = 0;

  constructor(private readonly check: { http: string; intervalMs: number }) {}

  async hasFailed(port: ListeningPort | undefined): Promise<boolean> {
    if (Date.now() < this.due) return false;
    this.due = Date.now() + this.check.intervalMs;
    const answer = port && (await probe(port, this.check.http));
    this.failures = answer && answer.status >= 200 && answer.status < 400 ? 0 : this.failures + 1;
    return this.failures >= FAILURES_IN_A_ROW;
  }
}
