import { lastLines } from '../../apps/last-lines.js';
import type { LogReader } from '../../apps/log-reader.js';
import type { LogSource } from '../../contracts/events.js';

/** Where a log is read, `GET /repo/:repoId/logs?source=…&operationId=…`, and its end. */
export interface LogExcerpt {
  source: LogSource;
  operationId: string;
  lastLines: string[];
}

/** Of the version before the update, and of the one after it. */
export interface UpdateLogs {
  old?: LogExcerpt;
  new?: LogExcerpt;
}

export async function appLog(logs: LogReader, uid: string, runId: string | null): Promise<LogExcerpt | undefined> {
  if (runId === null) return undefined;
  return { source: 'app', operationId: runId, lastLines: await lastLines(logs, uid, runId) };
}

export async function updateLog(logs: LogReader, uid: string, operationId: string): Promise<LogExcerpt> {
  return { source: 'update', operationId, lastLines: await lastLines(logs, uid, operationId) };
}
