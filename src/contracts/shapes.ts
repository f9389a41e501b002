import type { StopReason } from './stop-reasons.js';
import type { FailureCode } from './failure-codes.js';
import type { FailureData } from './failure.js';
import type { OperationName } from './operation-names.js';
import type { RepositoryState } from './repository-states.js';

/** The shapes that every door shows alike: REST, Socket.IO, and whatever comes later. Times are epoch milliseconds. */

export type Visibility = 'private' | 'shared';
export type PackageManagerName = 'npm' | 'yarn' | 'pnpm' | 'bun';
export type RestartPolicy = 'no' | 'on-failure' | 'always';

export interface IsolationReport {
  driver: 'bubblewrap' | 'none';
  /** Why nothing stronger is in force; left out where it is. */
  reason?: string;
}

export interface NetworkReport {
  mode: 'private' | 'shared';
  reason?: string;
}

export interface LimitsReport {
  memoryMb: number | null;
  processes: number | null;
  diskMb: number | null;
  /** Share of the processor among repositories that all want it, 100 being an equal one; null: whoever takes it has it. */
  cpuWeight: number | null;
  /** Why there is no share. */
  cpuReason?: string;
  /** What holds the others: a cgroup, a watchdog, or nothing. */
  enforcedBy: 'cgroup' | 'watchdog' | 'none';
}

/** Wanted, used and why: of a package manager or a Node.js version. */
export interface VersionChoice {
  wanted: string | null;
  used: string;
  why: string;
}

export interface PackageManagerChoice extends VersionChoice {
  /** Exact version of the package manager that was used. */
  version: string;
}

export interface App {
  /** As the host sees it; null once the app has ended. */
  pid: number | null;
  script: string;
  command: string;
  /** On the host: the one in `url`. */
  port: number | null;
  /** Where the app itself listens. */
  appPort: number | null;
  ports?: { appPort: number; port: number }[];
  requestedPort?: number;
  url: string | null;
  ready: boolean;
  startedAt: number;
  /** In a row: how often it was started again by its policy, or with the server. */
  restarts: number;
  exitCode?: number | null;
  signal?: string | null;
  stoppedAt?: number;
  stopReason?: StopReason;
  /** What went wrong, for people: the app's last words, or why it was ended; left out where it said none. */
  stopMessage?: string;
}

/** Why a repository is in `error`, or why its app has ended. */
export interface StateReason {
  code: FailureCode;
  message: string;
  /** Of an app that has ended: `exitCode`, `signal`, `restarts` and `lastLines`. */
  context?: Record<string, unknown>;
}

export interface ActiveOperation {
  operationId: string;
  operation: OperationName;
  phase: string | null;
  percent: number | null;
  queuePosition?: number;
}

export interface Repository {
  repoId: string;
  uid: string;
  /** Without credentials. */
  repoUrl: string;
  branch: string | null;
  commit: string | null;
  state: RepositoryState;
  stateReason?: StateReason;
  activeOperation?: ActiveOperation;
  owner: string;
  visibility: Visibility;
  packageManager: PackageManagerChoice | null;
  node: VersionChoice | null;
  isolation: IsolationReport;
  network: NetworkReport;
  limits: LimitsReport;
  app?: App;
  createdAt: number;
  updatedAt: number;
}

export const OPERATION_STATUSES = ['queued', 'running', 'succeeded', 'failed', 'cancelled'] as const;
export type OperationStatus = (typeof OPERATION_STATUSES)[number];

export interface Operation {
  operationId: string;
  operation: OperationName;
  repoId: string;
  uid: string;
  owner: string;
  status: OperationStatus;
  queuePosition?: number;
  phase: string | null;
  percent: number | null;
  message: string | null;
  queuedAt: number;
  startedAt?: number;
  finishedAt?: number;
  /** Counted from the start, not from queueing. */
  timeoutMs: number;
  isolation: IsolationReport;
  network: NetworkReport;
  /** Left out of one that an earlier version of the station has recorded. */
  limits?: LimitsReport;
  result?: unknown;
  error?: FailureData;
}
