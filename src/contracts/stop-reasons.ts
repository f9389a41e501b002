/** Why the station has stopped an app, or will start it again. */
export const STOPPED_BY_STATION = [
  /** A caller has asked for it: such an app does not come back by itself. */
  'stop',
  'unload',
  /** The owner's plan does not allow it any more: such an app comes back when the plan does. */
  'plan-ended',
  /** It comes back when the server starts: the end of the server has stopped it … */
  'server-stopped',
  /** … or it has died, and waits for its restart … */
  'restarting',
  /** … or an update was about to start it again. */
  'updating',
] as const;

/** How an app has ended that the station has not stopped. */
export const ENDED_BY_ITSELF = ['exited', 'crashed', 'unhealthy', 'cancelled', 'timed-out', 'limit'] as const;

/** It was to return, and could not even be started. */
const NOT_RESTARTED = 'not-restarted';

/** Why an app does not run any more. What it said itself is in `stopMessage`, so that no app can pass for stopped. */
export const STOP_REASONS = [...STOPPED_BY_STATION, ...ENDED_BY_ITSELF, NOT_RESTARTED] as const;

export type StoppedByStation = (typeof STOPPED_BY_STATION)[number];
export type StopReason = (typeof STOP_REASONS)[number];

/** The first cause wins: a stop that has to kill is a stop, not a crash. Of a `limit` the reason tells which one. */
export type AppEndCause = (typeof ENDED_BY_ITSELF)[number] | 'stopped';
