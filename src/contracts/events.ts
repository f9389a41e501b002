import type { OperationName } from './operation-names.js';
import type { LogLine } from './log.js';
import type { RepositoryState } from './repository-states.js';
import type { App, OperationStatus, StateReason } from './shapes.js';

/** What the station tells its clients on its own accord. `seq` counts per repository, so that a client can resume. */
export interface RepoNotification {
  seq: number;
  time: number;
  uid: string;
  repoId: string;
  operation: OperationName;
  operationId: string;
  status: OperationStatus;
  /** The owner whose key asked for the operation, or `station`. */
  by: string;
}

export interface RepoEvent {
  seq: number;
  time: number;
  uid: string;
  repoId: string;
  type: 'state' | 'app-ready' | 'app-exit' | 'restart' | 'port' | 'limit' | 'unloaded';
  state: RepositoryState;
  previousState: RepositoryState | null;
  reason?: StateReason;
  operationId?: string;
  app?: App;
}

export interface RepoProgress {
  seq: number;
  operationId: string;
  operation: OperationName;
  repoId: string;
  uid: string;
  phase: string | null;
  percent: number | null;
  message: string | null;
  queuePosition?: number;
}

export const LOG_SOURCES = ['app', 'clone', 'install', 'update'] as const;
export type LogSource = (typeof LOG_SOURCES)[number];

export interface RepoLog {
  repoId: string;
  uid: string;
  source: LogSource;
  operationId?: string;
  lines: LogLine[];
  /** How many lines were lost to this reader since the last batch. */
  dropped: number;
}

export const NOTICE_CODES = ['PAYMENT_DECLINED', 'PLAN_LAPSED', 'PLAN_REDUCED', 'PLAN_RESTORED'] as const;

/** What an owner should know of their plan. Times are epoch milliseconds. */
export interface OwnerNotice {
  time: number;
  owner: string;
  plan: string;
  code: (typeof NOTICE_CODES)[number];
  /** For people: what has happened, what follows, what to do. */
  message: string;
  /** When apps that run are stopped; null: none is. */
  appsStopAt: number | null;
  /** When repositories are unloaded; null: none is. */
  unloadAt: number | null;
}

/** Event name → payload, as Socket.IO clients receive them. */
export interface ServerEvents {
  'repo-notification': RepoNotification;
  'repo-event': RepoEvent;
  'repo-progress': RepoProgress;
  'repo-log': RepoLog;
  'owner-notice': OwnerNotice;
}
