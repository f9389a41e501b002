import { resolve } from 'node:path';
import { IS_MATRIX } from './matrix.js';

/** Whom the server runs as. Without `uid`: whoever runs the tests. */
export interface ServerUser {
  name: string;
  uid?: number;
}

/** As an account is not needed, none is made. */
export const ORDINARY_USER = { name: 'an ordinary user', uid: 70_200 };

export const isRoot = process.getuid?.() === 0;

/** Only root can start a server as somebody else. */
export const SERVER_USERS: ServerUser[] = isRoot && IS_MATRIX ? [ORDINARY_USER] : [{ name: 'whoever runs the tests' }];

/** For tests that change what programs the server finds: these need a mount namespace. */
export const describeAsRoot = isRoot ? describe : describe.skip;

/** What a server is started by so that it runs as this user. */
export const asUser = ({ uid }: ServerUser): string[] =>
  uid === undefined ? [] : ['setpriv', '--reuid', String(uid), '--regid', String(uid), '--clear-groups'];

/**
 * What a server is started by so that a program of the machine is another one for it, and for it alone: the file at
 * `path` is covered by `substitute`.
 */
export const withSubstitute = (path: string, substitute: string): string[] => [
  'unshare',
  '--mount',
  '--propagation',
  'private',
  '/bin/sh',
  '-c',
  'mount --bind "$1" "$2" && shift 2 && exec "$@"',
  'sh',
  resolve(substitute),
  path,
];
