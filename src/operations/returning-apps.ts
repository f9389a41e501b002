import type { RepositoryEntry } from '../registry/repository-entry.js';
import { PLAN_ENDED, RESTARTING, SERVER_STOPPED, STOPPED, UPDATING } from './stop-reasons.js';

const TO_RETURN = new Set<string | undefined>([SERVER_STOPPED, RESTARTING, UPDATING]);

/** Whether a caller has stopped it, or the owner's plan: what goes on meanwhile must not start it again. */
export const isStoppedOnRequest = ({ state, app }: RepositoryEntry): boolean =>
  state !== 'running' && (app?.stopReason === STOPPED || app?.stopReason === PLAN_ENDED);

/** Whether it comes back when the owner's plan allows it again. */
export const isStoppedForPlan = ({ state, app, runOptions }: RepositoryEntry): boolean =>
  state !== 'running' && app?.stopReason === PLAN_ENDED && runOptions?.background !== false;

/** Whether an app that does not run is to run again: nobody has stopped it, and its policy is not `no`. */
export function isToReturn({ state, app, runOptions }: RepositoryEntry): boolean {
  if (state !== 'stopped' || !runOptions || !TO_RETURN.has(app?.stopReason)) return false;
  return runOptions.background !== false && (runOptions.restartPolicy ?? 'on-failure') !== 'no';
}
