import type { Socket } from 'socket.io';
import type { ServerEvents } from '../../contracts/events.js';
import type { FailureData } from '../../contracts/failure.js';

/** What the sender of a message is told, as `repo-success` and to its acknowledgement alike. */
export interface RepoSuccess {
  operation: string;
  operationId?: string;
  repoId?: string;
  uid?: string;
  requestId: string;
  result: unknown;
}

export interface RepoError {
  operation: string;
  operationId?: string;
  repoId?: string;
  requestId: string;
  error: FailureData;
}

type Emitted = { [K in keyof ServerEvents]: (payload: ServerEvents[K]) => void } & {
  'repo-success': (payload: RepoSuccess) => void;
  'repo-error': (payload: RepoError) => void;
};

export type StationSocket = Socket<Record<string, (...args: unknown[]) => void>, Emitted>;
