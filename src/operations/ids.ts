import { randomBytes } from 'node:crypto';

/** Unique, unguessable, safe in URLs and file names. */
export const newOperationId = (): string => `op_${randomBytes(10).toString('hex')}`;
export const newUid = (): string => `r_${randomBytes(8).toString('hex')}`;
