import type { RestartPolicy } from '../contracts/shapes.js';
import type { AppEndCause } from '../contracts/stop-reasons.js';

/** An app that dies sooner, or before it was ready, is a failed start: restart policies are for one that has lived. */
export const FAILED_START_MS = 10_000;
/** After living this long an app starts counting its restarts anew. */
const STEADY_MS = 10 * 60_000;
const LONGEST_DELAY_MS = 60_000;

export interface RestartLimits {
  /** Restarts in a row; 0 is none at all. */
  max: number;
  /** Milliseconds before the first; each further one waits twice as long, at most a minute. */
  firstDelayMs: number;
}

export interface AppEnd {
  policy: RestartPolicy;
  cause: AppEndCause;
  exitCode: number | null | undefined;
  /** Milliseconds from its start to its end. */
  livedMs: number;
  /** Milliseconds that it had to get ready; 0 once it was. */
  readyTimeoutMs: number;
  /** How often it has been restarted in a row before. */
  restarts: number;
  /** An update has found that it lives, or it is an old version that did. */
  isTrusted: boolean;
}

export interface Restart {
  delayMs: number;
  /** Which one in a row it is. */
  restarts: number;
}

/** When an app that has ended starts again; undefined when it stays down. */
export function nextRestart(end: AppEnd, limits: RestartLimits): Restart | 'crash-loop' | undefined {
  const { policy, cause, exitCode, livedMs, restarts } = end;
  if (policy === 'no' || cause === 'stopped' || cause === 'cancelled' || cause === 'timed-out') return undefined;
  if (isFailedStart(end) || limits.max === 0) return undefined;
  const failed = cause !== 'exited' || exitCode !== 0;
  if (policy === 'on-failure' && !failed) return undefined;
  return anotherRestart(livedMs >= STEADY_MS ? 0 : restarts, limits) ?? 'crash-loop';
}

/** The one after so many in a row; undefined when there were enough. */
export function anotherRestart(restarts: number, { max, firstDelayMs }: RestartLimits): Restart | undefined {
  if (restarts >= max) return undefined;
  return { delayMs: Math.min(LONGEST_DELAY_MS, firstDelayMs * 2 ** restarts), restarts: restarts + 1 };
}

/** One that was restarted has lived before: what has killed it may need more time to pass than its start takes. */
function isFailedStart({ restarts, isTrusted, livedMs, readyTimeoutMs }: AppEnd): boolean {
  return restarts === 0 && !isTrusted && livedMs < Math.max(FAILED_START_MS, readyTimeoutMs);
}
