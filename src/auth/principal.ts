/** What a key may do. A route or event without a stated permission is denied. */
export const PERMISSIONS = ['read', 'clone', 'install', 'update', 'run', 'stop', 'unload', 'admin'] as const;
export type Permission = (typeof PERMISSIONS)[number];

/** Who is asking: the owner behind a key, and what that key permits. */
export interface Principal {
  keyId: string;
  owner: string;
  admin: boolean;
  permissions: readonly Permission[];
}

/** Whom the station acts for when it acts on its own accord: apps that come back after a restart. */
export const STATION_OWNER = 'station';
