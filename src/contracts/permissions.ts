/** What a key may do. A route or event without a stated permission is denied. */
export const PERMISSIONS = ['read', 'clone', 'install', 'update', 'run', 'stop', 'unload', 'admin'] as const;
export type Permission = (typeof PERMISSIONS)[number];
