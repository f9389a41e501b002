/** The log of one operation or run, as both sides know it: NDJSON segments in `LOGS/<uid>/<operationId>/`. */

export type LogStream = 'stdout' | 'stderr' | 'system';

/** One whole line of output. `seq` counts from 1 within its log, without gaps, and doubles as the cursor. */
export interface LogLine {
  seq: number;
  /** Epoch milliseconds. */
  time: number;
  stream: LogStream;
  text: string;
}

/** Longer lines are cut here, and say so: a line of 20 MB must not pass through anybody's memory whole. */
export const MAX_LINE_CHARS = 16_384;

/** A segment is named by its first line's seq, padded so that names sort as numbers do. */
export const segmentName = (firstSeq: number): string => `${String(firstSeq).padStart(15, '0')}.ndjson`;
export const segmentFirstSeq = (name: string): number => Number.parseInt(name, 10);
