/** Of apps that come back when the server starts: it was the end of the server that stopped them … */
export const SERVER_STOPPED = 'server-stopped';
/** … or they have died, and wait for their restart. */
export const RESTARTING = 'restarting';
