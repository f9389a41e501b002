import { setTimeout as delay } from 'node:timers/promises';
import { passesCheck } from '../ports/http-get.js';

const FAILURES_IN_A_ROW = 3;
const MAX_CHECK_MS = 5_000;
const FIRST_CHECKS_MS = 1_000;

interface LivenessCheck {
  http: string;
  intervalMs: number;
  urlNow(): string | null;
  /** At each check that is passed. */
  onPassed(): void;
}

/** Asks a path every `intervalMs`; resolves to true once three in a row were not fine, to false when `signal` ends it. */
export async function becomesUnhealthy(check: LivenessCheck, signal: AbortSignal): Promise<boolean> {
  void untilFirstPass(check, signal);
  for (let failures = 0; failures < FAILURES_IN_A_ROW;) {
    await delay(check.intervalMs, undefined, { signal }).catch(() => undefined); // ended meanwhile
    if (signal.aborted) return false;
    failures = (await passes(check)) ? 0 : failures + 1;
  }
  return !signal.aborted;
}

/** More often, and nothing that is not fine counts: whoever waits for the first pass is not to wait for a long interval. */
async function untilFirstPass(check: LivenessCheck, signal: AbortSignal): Promise<void> {
  while (!signal.aborted && !(await passes(check))) {
    await delay(Math.min(check.intervalMs, FIRST_CHECKS_MS), undefined, { signal }).catch(() => undefined);
  }
}

async function passes({ http, intervalMs, urlNow, onPassed }: LivenessCheck): Promise<boolean> {
  const url = urlNow();
  const passed = url !== null && (await passesCheck(url + http, Math.min(intervalMs, MAX_CHECK_MS)));
  if (passed) onPassed();
  return passed;
}
