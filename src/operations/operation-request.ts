import type { Principal } from '../auth/principal.js';
import type { GitCredentials } from '../contracts/operations.js';
import type { Operation, PackageManagerName, RestartPolicy, Visibility } from '../contracts/shapes.js';

/** What callers may ask of each operation, validated; the DTOs of REST and Socket.IO implement these. */
export interface CloneOptions {
  repoUrl: string;
  branch?: string;
  depth?: number;
  production?: boolean;
  packageManager?: PackageManagerName;
  isolated?: boolean;
  repoId?: string;
  visibility?: Visibility;
  credentials?: GitCredentials;
}

export interface InstallOptions {
  packageManager?: PackageManagerName;
  production?: boolean;
  strictEngines?: boolean;
  ignoreScripts?: boolean;
}

export interface UpdateOptions {
  branch?: string;
  restart?: boolean;
}

/** Of a run that names none. */
export const READY_TIMEOUT_MS = 30_000;

export interface RunOptions {
  script?: string;
  port?: number;
  env?: Record<string, string>;
  background?: boolean;
  restartPolicy?: RestartPolicy;
  readyTimeoutMs?: number;
  timeoutMs?: number;
  ready?: { http?: string; log?: string };
  liveness?: { http: string; intervalMs: number };
}

export interface StopOptions {
  graceMs?: number;
}

export interface OperationOptions {
  clone: CloneOptions;
  install: InstallOptions;
  update: UpdateOptions;
  run: RunOptions;
  stop: StopOptions;
  status: Record<string, never>;
  unload: Record<string, never>;
}

/** An operation that was accepted: its record exists, its outcome will. */
export interface OperationTicket {
  /** As it was when it was accepted. */
  operation: Operation;
  /** Settles when it has finished, whatever its status. Never rejects. */
  finished: Promise<Operation>;
}

export interface SubmitContext {
  principal: Principal;
  /** The socket that asked: it gets progress, and no notification of its own doing. */
  socketId?: string;
  /** Of a run that brings back an app that died: which restart in a row it is. */
  restarts?: number;
}
