import type { LogPage } from '../../apps/log-reader.js';

/** After which line of which log a reader goes on. */
export interface LogCursor {
  /** undefined: of whichever log is read, as of the latest run. */
  operationId?: string;
  seq: number;
}

/** A seq alone is one as well, for those who have counted the lines themselves. */
export const LOG_CURSOR = { regex: /^(?:op_[0-9a-f]{1,64}\.)?\d{1,15}$/, says: 'the nextCursor of an earlier page' };
export const MAX_LOG_CURSOR = 100;

/** It names its log: the same seq of a later run is another line. */
export const formatCursor = (operationId: string, seq: number | string): string => `${operationId}.${seq}`;

export function parseCursor(cursor: string): LogCursor {
  const [seq, operationId] = cursor.split('.').toReversed();
  return { operationId, seq: Number(seq) };
}

/** A page as it is handed out. */
export const withCursor = (page: LogPage, operationId: string): LogPage => ({
  ...page,
  nextCursor: formatCursor(operationId, page.nextCursor),
});
