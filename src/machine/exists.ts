import { lstatSync } from 'node:fs';

/** Also a link that leads nowhere, which existsSync says is not there. */
export const exists = (path: string): boolean => lstatSync(path, { throwIfNoEntry: false }) !== undefined;
