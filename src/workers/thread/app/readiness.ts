import type { RunInput } from '../../../contracts/operations.js';
import type { Endpoint } from '../ports/endpoints.js';
import { passesCheck } from '../ports/http-get.js';
import { LogPattern } from './log-pattern.js';

/** Of 26 real repositories five listened and then died, after 0.1 to 4 s: what listens must still do so this much later. */
const STEADY_MS = 500;
const CHECK_MS = 2_000;

/** Decides when an app is ready: when what was asked for has come, which is that it listens where nothing was named. */
export class Readiness {
  private readonly log: LogPattern | undefined;
  private httpPassed = false;
  private steadySince: number | undefined;

  constructor(private readonly ready: RunInput['ready'] = {}) {
    this.log = ready.log === undefined ? undefined : new LogPattern(ready.log);
  }

  seeLine(text: string): void {
    this.log?.see(text);
  }

  /** Whether it has held for half a second. `main` is where the app is reached, once it listens. */
  async isReady(main: Endpoint | undefined): Promise<boolean> {
    if (!(await this.holds(main))) {
      this.steadySince = undefined;
      return false;
    }
    this.steadySince ??= Date.now();
    return Date.now() - this.steadySince >= STEADY_MS;
  }

  private async holds(main: Endpoint | undefined): Promise<boolean> {
    if (this.log && !this.log.found) return false;
    const { http } = this.ready ?? {};
    if (http === undefined) return main !== undefined || this.log !== undefined; // a chat bot says so and never listens
    if (!main) return false;
    this.httpPassed ||= await passesCheck(main.url + http, CHECK_MS);
    return this.httpPassed;
  }
}
