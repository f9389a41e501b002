import { setTimeout as delay } from 'node:timers/promises';
import { passesCheck } from '../ports/http-get.js';

const FAILURES_IN_A_ROW = 3;
const MAX_CHECK_MS = 5_000;

interface LivenessCheck {
  http: string;
  intervalMs: number;
  urlNow(): string | null;
  /** At each check that is passed. */
  onPassed(): void;
}

/**
 * Asks a path at once, and then every `intervalMs`; resolves to true once three in a row were not fine, to false when
 * `signal` ends it. The first one only counts when it is passed: an app that has just begun to listen may need a moment.
 */
export async function becomesUnhealthy(check: LivenessCheck, signal: AbortSignal): Promise<boolean> {
  await passes(check);
  for (let failures = 0; failures < FAILURES_IN_A_ROW;) {
    await delay(check.intervalMs, undefined, { signal }).catch(() => undefined); // ended meanwhile
    if (signal.aborted) return false;
    failures = (await passes(check)) ? 0 : failures + 1;
  }
  return !signal.aborted;
}

async function passes({ http, intervalMs, urlNow, onPassed }: LivenessCheck): Promise<boolean> {
  const url = urlNow();
  const passed = url !== null && (await passesCheck(url + http, Math.min(intervalMs, MAX_CHECK_MS)));
  if (passed) onPassed();
  return passed;
}
