import type { GitCredentials, StoredCredentials } from './operations.js';
import type { PackageManagerName, RestartPolicy, Visibility } from './shapes.js';

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
  credentials?: GitCredentials | StoredCredentials;
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
