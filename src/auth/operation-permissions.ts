import type { OperationName } from '../contracts/operation-names.js';
import type { Permission } from '../contracts/permissions.js';

/** What a key needs to ask for each operation. */
export const PERMISSION_FOR: Record<OperationName, Permission> = {
  clone: 'clone',
  install: 'install',
  update: 'update',
  run: 'run',
  stop: 'stop',
  status: 'read',
  unload: 'unload',
};
