import type { StationConfig } from '../config/config.js';
import { Failure } from '../contracts/failure.js';
import type { OperationName } from '../contracts/operations.js';
import type { NetworkReport, Operation } from '../contracts/shapes.js';
import type { RepositoryEntry } from '../registry/repository-entry.js';
import { newOperationId } from './ids.js';
import type { Lane } from './operation-queue.js';
import { READY_TIMEOUT_MS, type RunOptions, type UpdateOptions } from '../contracts/operation-options.js';

/** Whose git is not on the network that the repository's code has. */
const GIT_REASONS: Partial<Record<OperationName, string>> = {
  clone: 'git runs on the network of the host',
  status: 'git runs on the network of the host',
  update: 'git runs on the network of the host; what a restart installs and runs has one of its own',
};

/** An operation as it begins. */
export function newRecord(name: OperationName, entry: RepositoryEntry, owner: string, timeoutMs: number): Operation {
  return {
    operationId: newOperationId(),
    operation: name,
    repoId: entry.repoId,
    uid: entry.uid,
    owner,
    status: 'queued',
    phase: null,
    percent: null,
    message: null,
    queuedAt: Date.now(),
    timeoutMs,
    isolation: entry.isolation,
    network: networkOf(name, entry),
    limits: entry.limits,
  };
}

function networkOf(name: OperationName, { network }: RepositoryEntry): NetworkReport {
  const reason = GIT_REASONS[name];
  return reason === undefined || network.mode === 'shared' ? network : { mode: 'shared', reason };
}

/** WORKER_TIMEOUT, but a run that is waited for to its end may name its own, and getting ready has a time of its own. */
export function timeoutOf(
  name: OperationName,
  options: object,
  entry: Pick<RepositoryEntry, 'runOptions'>,
  { workerTimeoutMs }: Pick<StationConfig, 'workerTimeoutMs'>,
): number {
  if (name === 'update' && (options as UpdateOptions).restart) {
    return workerTimeoutMs + (entry.runOptions?.readyTimeoutMs ?? READY_TIMEOUT_MS);
  }
  if (name !== 'run') return workerTimeoutMs;
  const { background, timeoutMs, readyTimeoutMs = READY_TIMEOUT_MS } = options as RunOptions;
  return background === false ? (timeoutMs ?? workerTimeoutMs) : readyTimeoutMs + workerTimeoutMs;
}

export function laneOf(name: OperationName, options: object): Lane {
  if (name === 'status') return 'read';
  if (name === 'stop' || name === 'unload') return 'control';
  return name === 'run' && (options as RunOptions).background === false ? 'foreground' : 'work';
}

/** What a failure makes of the record. An abort comes first, as told by whoever it has ended where that has more to tell. */
export function outcomeOf(error: unknown, signal?: AbortSignal): Partial<Operation> {
  const told = Failure.of(error);
  const reason = signal?.aborted ? (signal.reason as Failure) : told;
  const failure = told.code === reason.code ? told : reason;
  return { status: failure.code === 'CANCELLED' ? 'cancelled' : 'failed', error: failure.toData() };
}
