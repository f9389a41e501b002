import type { LogLine } from '../contracts/log.js';

export interface LogPage {
  lines: LogLine[];
  /** Pass as `cursor` to go on from here: the seq of the last line handed out, "0" when there is none. */
  nextCursor: string;
  /** Lines after `cursor` that are no longer kept. */
  dropped: number;
}

/** Reads the logs that threads write (contracts/log). Every reader pulls at its own pace; nothing is buffered for it. */
export declare class LogReader {
  /** The last `count` lines. */
  tail(uid: string, operationId: string, count: number): Promise<LogPage>;
  /** At most `limit` lines after the line with seq `cursor`. */
  after(uid: string, operationId: string, cursor: number, limit: number): Promise<LogPage>;
  /** Whether there is such a log at all. */
  exists(uid: string, operationId: string): Promise<boolean>;
}
