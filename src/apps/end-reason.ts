import type { App, StateReason } from '../contracts/shapes.js';
import type { EndedApp } from './apps.service.js';
import { FAILED_START_MS } from './restart-policy.js';

type End = Omit<EndedApp, 'wasReady'>;

/** Why an app has ended that was not to; undefined when its end was in order. */
export function endReason({ app, cause, reason }: End, crashLoop: boolean): StateReason | undefined {
  if (crashLoop)
    return {
      code: 'CRASH_LOOP',
      message: `Started again ${times(app.restarts)} in a row: ${reason?.message ?? `the app ${howOf(app)}`}`,
    };
  if (cause === 'stopped' || cause === 'cancelled') return undefined;
  if (cause === 'limit' && reason) return { code: reason.code, message: reason.message };
  if (cause === 'timed-out') return { code: 'TIMED_OUT', message: 'The run took longer than its timeout' };
  if (cause === 'exited' && app.exitCode === 0) return undefined;
  return { code: 'APP_EXITED', message: `The app ${howOf(app)}` };
}

function howOf(app: App): string {
  const livedMs = (app.stoppedAt ?? Date.now()) - app.startedAt;
  const how = app.signal ? `was ended by ${app.signal}` : `exited with code ${app.exitCode ?? 'unknown'}`;
  const when = livedMs < FAILED_START_MS ? ` ${livedMs} ms after its start` : '';
  return `${how}${when}${app.stopMessage ? `: ${app.stopMessage}` : ''}`;
}

const times = (count: number): string => (count === 1 ? 'once' : `${count} times`);
