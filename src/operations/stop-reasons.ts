/** A caller has asked for it: such an app does not come back by itself. */
export const STOPPED = 'stop';
/** The owner's plan does not allow it any more: such an app comes back when the plan does. */
export const PLAN_ENDED = 'plan-ended';
/** Of apps that come back when the server starts: it was the end of the server that stopped them … */
export const SERVER_STOPPED = 'server-stopped';
/** … or they have died, and wait for their restart … */
export const RESTARTING = 'restarting';
/** … or an update was about to start them again. */
export const UPDATING = 'updating';
