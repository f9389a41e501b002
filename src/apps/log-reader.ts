import { open, readdir, type FileHandle } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { segmentFirstSeq, type LogLine } from '../contracts/log.js';
import { linesAfter, linesBackwards } from './log-segment.js';

export interface LogPage {
  lines: LogLine[];
  /** Pass as `cursor` to go on from here: the seq of the last line handed out. Without any: where the page began. */
  nextCursor: string;
  /** Lines that belong on this page but are no longer kept, or never reached a full disk. All of them when the log is gone. */
  dropped: number;
}

/** A page ends here, whatever the limit: its lines may be long, and all others wait while it is parsed and sent. */
const MAX_PAGE_BYTES = 1_000_000;
/** What is followed comes in pieces that are garbage soon: the larger they are, the more memory they take until it is collected. */
export const MAX_BATCH_BYTES = 64_000;

/** Reads the logs that threads write (contracts/log). Every reader pulls at its own pace; nothing is buffered for it. */
export class LogReader {
  /** `folder` holds `<uid>/<operationId>/`. */
  constructor(private readonly folder: string) {}

  /** The last `count` lines. */
  async tail(uid: string, operationId: string, count: number): Promise<LogPage> {
    const lines: LogLine[] = [];
    const room = { bytes: MAX_PAGE_BYTES };
    const segments = await this.segments(uid, operationId);
    let last: number | undefined;
    for (const segment of segments.toReversed()) {
      await reading(segment, async (file) => {
        for await (const { line, bytes } of linesBackwards(file)) {
          last ??= line.seq;
          if (lines.length >= count || (room.bytes -= bytes) < 0) return;
          lines.push(line);
        }
      });
      if (last !== undefined && (lines.length >= count || room.bytes < 0)) break;
    }
    lines.reverse();
    const [first] = lines;
    // Fewer than asked for: all that is kept, and what is missing before it was dropped.
    const from = first && (lines.length >= count || room.bytes < 0) ? first.seq - 1 : 0;
    last ??= lastSeqBefore(segments.at(-1));
    return page(lines, count === 0 ? last : from, last);
  }

  /** At most `limit` lines after the line with seq `cursor`, and one at least, where there is one. */
  async after(
    uid: string,
    operationId: string,
    cursor: number,
    limit: number,
    maxBytes = MAX_PAGE_BYTES,
  ): Promise<LogPage> {
    const lines: LogLine[] = [];
    const room = { bytes: maxBytes };
    const segments = await this.segments(uid, operationId);
    // All lines of a segment are before the first one of the next.
    const start = segments.findLastIndex((path) => lastSeqBefore(path) <= cursor);
    for (const segment of segments.slice(Math.max(0, start))) {
      await reading(segment, async (file) => {
        for await (const { line, bytes } of linesAfter(file, cursor)) {
          if (lines.length >= limit || ((room.bytes -= bytes) < 0 && lines.length > 0)) return;
          lines.push(line);
        }
      });
      if (lines.length >= limit || room.bytes < 0) break;
    }
    return page(lines, cursor, lines.at(-1)?.seq ?? Math.max(cursor, lastSeqBefore(segments.at(-1))));
  }

  /** Whether there is such a log at all: one that has a line, or had. */
  async exists(uid: string, operationId: string): Promise<boolean> {
    return (await this.segments(uid, operationId)).length > 0;
  }

  /** Paths, oldest first. */
  private async segments(uid: string, operationId: string): Promise<string[]> {
    const directory = join(this.folder, uid, operationId);
    const names = await orWhenGone(readdir(directory), []);
    return names
      .filter((name) => /^\d+\.ndjson$/.test(name))
      .toSorted()
      .map((name) => join(directory, name));
  }
}

/** Seqs have no gaps when they are written, so what is missing between the page's beginning and its end was lost. */
function page(lines: LogLine[], from: number, last: number): LogPage {
  return { lines, nextCursor: String(last), dropped: last - from - lines.length };
}

/** All that is left of a log that was removed is an empty segment, which tells by its name how many lines there were. */
const lastSeqBefore = (segment: string | undefined): number =>
  segment === undefined ? 0 : segmentFirstSeq(basename(segment)) - 1;

/** A segment may be rotated away between its listing and its opening. */
async function reading(path: string, read: (file: FileHandle) => Promise<void>): Promise<void> {
  const file = await orWhenGone(open(path), undefined);
  try {
    if (file) await read(file);
  } finally {
    await file?.close();
  }
}

async function orWhenGone<T, D>(found: Promise<T>, otherwise: D): Promise<T | D> {
  try {
    return await found;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return otherwise;
    throw error;
  }
}
