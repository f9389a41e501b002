import type { StopReason } from '../contracts/stop-reasons.js';
import type { RepositoryEntry } from '../registry/repository-entry.js';

const TO_RETURN = new Set<StopReason | undefined>(['server-stopped', 'restarting', 'updating']);

/** Whether a caller has stopped it, or the owner's plan: what goes on meanwhile must not start it again. */
export const isStoppedOnRequest = ({ state, app }: RepositoryEntry): boolean =>
  state !== 'running' && (app?.stopReason === 'stop' || app?.stopReason === 'plan-ended');

/** Whether it comes back when the owner's plan allows it again. */
export const isStoppedForPlan = ({ state, app, runOptions }: RepositoryEntry): boolean =>
  state !== 'running' && app?.stopReason === 'plan-ended' && runOptions?.background !== false;

/** Whether an app that does not run is to run again: nobody has stopped it, and its policy is not `no`. */
export function isToReturn({ state, app, runOptions }: RepositoryEntry): boolean {
  if (state !== 'stopped' || !runOptions || !TO_RETURN.has(app?.stopReason)) return false;
  return runOptions.background !== false && (runOptions.restartPolicy ?? 'on-failure') !== 'no';
}
