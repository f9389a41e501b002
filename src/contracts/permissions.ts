/** What a key may do; `keys`: make, list and revoke further keys of its owner. A route or event without a stated permission is denied. */
export const PERMISSIONS = ['read', 'clone', 'install', 'update', 'run', 'stop', 'unload', 'keys', 'admin'] as const;
export type Permission = (typeof PERMISSIONS)[number];
