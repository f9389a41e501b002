import { open, readdir, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { segmentFirstSeq, segmentName, type LogLine } from '../contracts/log.js';

export interface LogPage {
  lines: LogLine[];
  /** Pass as `cursor` to go on from here: the seq of the last line handed out, "0" when there is none. */
  nextCursor: string;
  /** Lines after `cursor` that are no longer kept. */
  dropped: number;
}

const CHUNK_BYTES = 64 * 1024;
/** What one page holds at most, whatever its number of lines: a reader's memory is bounded. */
const PAGE_BYTES = 1024 * 1024;

/**
 * Reads the logs that threads write (contracts/log). Every reader pulls at its own pace and nothing is buffered for it:
 * one that lags behind the rotation is told how many lines it has lost.
 */
export class LogReader {
  /** `folder`: where the logs of all repositories are. */
  constructor(private readonly folder: string) {}

  /** Whether there is such a log at all. */
  async exists(uid: string, operationId: string): Promise<boolean> {
    return (await this.segments(uid, operationId)).length > 0;
  }

  /** The last `count` lines. */
  async tail(uid: string, operationId: string, count: number): Promise<LogPage> {
    const segments = (await this.segments(uid, operationId)).toReversed();
    let lines: LogLine[] = [];
    for (const firstSeq of segments) {
      if (lines.length >= count) break;
      const earlier = await this.reading(uid, operationId, firstSeq, (file) => lastLines(file, count - lines.length));
      lines = [...(earlier ?? []), ...lines];
    }
    const first = lines[0];
    const dropped = first && lines.length < count ? first.seq - 1 : 0;
    return { lines, nextCursor: String(lines.at(-1)?.seq ?? 0), dropped };
  }

  /** At most `limit` lines after the line with seq `cursor`. */
  async after(uid: string, operationId: string, cursor: number, limit: number): Promise<LogPage> {
    const segments = await this.segments(uid, operationId);
    const start = segments.findLastIndex((firstSeq) => firstSeq <= cursor + 1);
    const lines: LogLine[] = [];
    let bytes = 0;
    for (const firstSeq of segments.slice(Math.max(0, start))) {
      if (lines.length >= limit || bytes >= PAGE_BYTES) break;
      const read = await this.reading(uid, operationId, firstSeq, async (file) => {
        const offset = await offsetAfter(file, cursor);
        return linesFrom(file, offset, cursor, limit - lines.length, PAGE_BYTES - bytes);
      });
      lines.push(...(read ?? []));
      bytes = lines.reduce((sum, line) => sum + line.text.length, 0);
    }
    const first = lines[0];
    const dropped = first ? Math.max(0, first.seq - cursor - 1) : 0;
    return { lines, nextCursor: String(lines.at(-1)?.seq ?? cursor), dropped };
  }

  private async segments(uid: string, operationId: string): Promise<number[]> {
    const names = await readdir(join(this.folder, uid, operationId)).catch(() => []);
    return names
      .filter((name) => name.endsWith('.ndjson'))
      .map(segmentFirstSeq)
      .toSorted((a, b) => a - b);
  }

  /** Undefined when the segment was rotated away meanwhile. */
  private async reading<T>(
    uid: string,
    operationId: string,
    firstSeq: number,
    read: (file: FileHandle) => Promise<T>,
  ): Promise<T | undefined> {
    let file: FileHandle;
    try {
      file = await open(join(this.folder, uid, operationId, segmentName(firstSeq)));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
    try {
      return await read(file);
    } finally {
      await file.close();
    }
  }
}

async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, position);
  return buffer.subarray(0, bytesRead);
}

/** Whole lines only: a torn one at the end is still being written, or was cut by a crash. */
function parseLines(text: string): LogLine[] {
  return text
    .split('\n')
    .slice(0, -1)
    .flatMap((line) => {
      try {
        return [JSON.parse(line) as LogLine];
      } catch {
        return []; // torn by a crash in the middle of the file
      }
    });
}

async function lastLines(file: FileHandle, count: number): Promise<LogLine[]> {
  let position = (await file.stat()).size;
  let tail = Buffer.alloc(0);
  while (position > 0) {
    const length = Math.min(CHUNK_BYTES, position);
    position -= length;
    tail = Buffer.concat([await readAt(file, position, length), tail]);
    if (tail.length >= PAGE_BYTES || newlines(tail) > count) break;
  }
  // Unless the beginning was reached, the first line is not whole.
  const whole = position === 0 ? tail : tail.subarray(tail.indexOf(10) + 1);
  return parseLines(whole.toString('utf8')).slice(-count);
}

const newlines = (bytes: Buffer): number => bytes.reduce((sum, byte) => (byte === 10 ? sum + 1 : sum), 0);

/** Where the first line after `seq` begins, near enough: by halving, since seqs grow; at most one chunk too early. */
async function offsetAfter(file: FileHandle, seq: number): Promise<number> {
  let low = 0;
  let high = (await file.stat()).size;
  while (high - low > CHUNK_BYTES) {
    const middle = Math.floor((low + high) / 2);
    const found = await firstLineFrom(file, middle);
    if (found && found.seq <= seq) low = found.offset;
    else high = middle;
  }
  return low;
}

async function firstLineFrom(file: FileHandle, position: number): Promise<{ seq: number; offset: number } | undefined> {
  const chunk = await readAt(file, position, CHUNK_BYTES * 2);
  const start = chunk.indexOf(10) + 1;
  const end = chunk.indexOf(10, start);
  if (start === 0 || end < 0) return undefined;
  const [line] = parseLines(chunk.toString('utf8', start, end + 1));
  return line && { seq: line.seq, offset: position + start };
}

async function linesFrom(
  file: FileHandle,
  offset: number,
  cursor: number,
  limit: number,
  maxBytes: number,
): Promise<LogLine[]> {
  let text = Buffer.alloc(0);
  const wanted = Math.min(maxBytes, PAGE_BYTES) + CHUNK_BYTES;
  for (let position = offset; text.length < wanted;) {
    const chunk = await readAt(file, position, CHUNK_BYTES);
    if (chunk.length === 0) break;
    position += chunk.length;
    text = Buffer.concat([text, chunk]);
  }
  const lines = parseLines(text.toString('utf8', 0, text.lastIndexOf(10) + 1));
  return lines.filter(({ seq }) => seq > cursor).slice(0, limit);
}
