import { setTimeout as delay } from 'node:timers/promises';
import { passesCheck } from '../ports/http-get.js';

const FAILURES_IN_A_ROW = 3;
const MAX_CHECK_MS = 5_000;

/** Asks a path every `intervalMs`; resolves to true once three in a row were not fine, to false when `signal` ends it. */
export async function becomesUnhealthy(
  { http, intervalMs }: { http: string; intervalMs: number },
  urlNow: () => string | null,
  signal: AbortSignal,
): Promise<boolean> {
  for (let failures = 0; failures < FAILURES_IN_A_ROW;) {
    await delay(intervalMs, undefined, { signal }).catch(() => undefined); // ended meanwhile
    if (signal.aborted) return false;
    const url = urlNow();
    const passed = url !== null && (await passesCheck(url + http, Math.min(intervalMs, MAX_CHECK_MS)));
    failures = passed ? 0 : failures + 1;
  }
  return !signal.aborted;
}
