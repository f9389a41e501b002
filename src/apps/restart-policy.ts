import type { RestartPolicy } from '../contracts/shapes.js';
import type { AppEndCause } from '../contracts/worker-messages.js';

/** An app that dies sooner is a failed start: restart policies are for one that has lived. */
export const FAILED_START_MS = 10_000;
/** After living this long an app starts counting its restarts anew. */
const STEADY_MS = 10 * 60_000;
const MAX_RESTARTS_IN_A_ROW = 5;
const FIRST_DELAY_MS = 1_000;
const LONGEST_DELAY_MS = 60_000;

export interface AppEnd {
  policy: RestartPolicy;
  cause: AppEndCause;
  exitCode: number | null | undefined;
  /** Milliseconds from its start to its end. */
  livedMs: number;
  /** How often it has been restarted in a row before. */
  restarts: number;
}

/** Undefined when the app stays down; else in how many milliseconds it starts again, and as which restart in a row. */
export function nextRestart({
  policy,
  cause,
  exitCode,
  livedMs,
  restarts,
}: AppEnd): { delayMs: number; restarts: number } | undefined {
  if (policy === 'no' || cause === 'stopped' || cause === 'cancelled' || cause === 'timed-out') return undefined;
  if (livedMs < FAILED_START_MS) return undefined;
  const failed = cause !== 'exited' || exitCode !== 0;
  if (policy === 'on-failure' && !failed) return undefined;
  const inARow = livedMs >= STEADY_MS ? 0 : restarts;
  if (inARow >= MAX_RESTARTS_IN_A_ROW) return undefined;
  return { delayMs: Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** inARow), restarts: inARow + 1 };
}
