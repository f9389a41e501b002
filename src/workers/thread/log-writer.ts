import { closeSync, existsSync, fstatSync, mkdirSync, openSync, readdirSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { removeFile } from '../../machine/remove-file.js';
import { MAX_LINE_CHARS, segmentFirstSeq, segmentName, type LogLine, type LogStream } from '../../contracts/log.js';
import { LineSplitter } from './line-splitter.js';

interface LogLimits {
  directory: string;
  /** Size at which a segment is closed and the next one begun. */
  maxBytes: number;
  /** How many segments are kept; the oldest goes first. */
  files: number;
}

const NOTICE_INTERVAL_MS = 100;
const NOTICE_BYTES = 1_048_576;
const TAIL_LINES = 40;
/** More than one line of the greatest length: JSON writes some characters as six. */
const LAST_LINES_BYTES = 262_144;

/**
 * Writes one log as NDJSON segments. Writing is synchronous on purpose: it happens in a thread of its own, and so a
 * program that writes faster than the disk waits in its pipe instead of filling memory.
 */
export class LogWriter {
  private seq = 0;
  private descriptor: number | undefined;
  private segmentBytes = 0;
  /** Since `onLines` was last told. */
  private newBytes = 0;
  private torn = false;
  private readonly tail: string[] = [];
  private notice: NodeJS.Timeout | undefined;

  constructor(
    private readonly limits: LogLimits,
    private readonly onLines: (lastSeq: number, newBytes: number) => void,
  ) {
    this.seq = continuedSeq(limits.directory);
  }

  /** Everything that `stream` says, in whole lines of whole characters; resolves at its end. */
  async follow(source: Readable, stream: LogStream, onLine?: (text: string) => void): Promise<void> {
    const splitter = new LineSplitter();
    const take = (texts: string[]) => {
      if (texts.length === 0) return;
      this.write(stream, texts);
      if (onLine) texts.forEach(onLine);
    };
    try {
      for await (const chunk of source) take(splitter.push(chunk as Buffer));
    } catch {
      // The pipe broke because its process was killed; what was read counts.
    }
    take(splitter.end());
  }

  write(stream: LogStream, texts: string[]): void {
    let batch = '';
    let firstSeq = this.seq + 1;
    for (const text of texts) {
      const line: LogLine = { seq: ++this.seq, time: Date.now(), stream, text };
      batch += `${JSON.stringify(line)}\n`;
      this.tail.push(text);
      if (batch.length > MAX_LINE_CHARS) {
        this.append(firstSeq, batch);
        batch = '';
        firstSeq = this.seq + 1;
      }
    }
    this.tail.splice(0, this.tail.length - TAIL_LINES);
    if (batch) this.append(firstSeq, batch);
    this.notice ??= setTimeout(() => this.tell(), NOTICE_INTERVAL_MS);
  }

  /** The last lines written, for the context of a failure. */
  lastLines(count: number): string[] {
    return this.tail.slice(-count);
  }

  close(): void {
    if (this.notice) this.tell();
    if (this.descriptor !== undefined) closeSync(this.descriptor);
    this.descriptor = undefined;
  }

  private tell(): void {
    clearTimeout(this.notice);
    this.notice = undefined;
    this.onLines(this.seq, this.newBytes);
    this.newBytes = 0;
  }

  private append(firstSeq: number, batch: string): void {
    try {
      // What a full disk has cut off is kept apart from what follows.
      const bytes = Buffer.from(this.torn ? `\n${batch}` : batch);
      const descriptor = this.segmentFor(firstSeq, bytes.length);
      for (let sent = 0; sent < bytes.length;) sent += writeSync(descriptor, bytes, sent);
      this.torn = false;
      if (this.newBytes > NOTICE_BYTES) this.tell(); // room may have to be made for what follows
    } catch {
      // The disk is full: the output is lost, the program goes on. Readers see the gap in seq.
      this.torn = true;
    }
  }

  private segmentFor(firstSeq: number, bytes: number): number {
    const { directory, maxBytes } = this.limits;
    if (this.descriptor !== undefined && this.segmentBytes + bytes > maxBytes) this.rotate();
    if (this.descriptor === undefined) {
      mkdirSync(directory, { recursive: true });
      this.descriptor = openSync(join(directory, segmentName(firstSeq)), 'a');
      this.segmentBytes = 0;
    }
    this.segmentBytes += bytes;
    this.newBytes += bytes;
    return this.descriptor;
  }

  private rotate(): void {
    const { directory, files } = this.limits;
    if (this.descriptor !== undefined) closeSync(this.descriptor);
    this.descriptor = undefined;
    const segments = readdirSync(directory).toSorted();
    for (const name of segments.slice(0, Math.max(0, segments.length - files + 1))) {
      removeFile(join(directory, name));
    }
  }
}

/** A log that is written to again goes on counting after its last line, be it whole, torn, or gone but for its number. */
function continuedSeq(directory: string): number {
  const name = existsSync(directory) ? readdirSync(directory).toSorted().at(-1) : undefined;
  if (name === undefined) return 0;
  const descriptor = openSync(join(directory, name), 'r');
  try {
    const { size } = fstatSync(descriptor);
    const end = Buffer.alloc(Math.min(size, LAST_LINES_BYTES));
    readSync(descriptor, end, 0, end.length, size - end.length);
    const [, last] = [...end.toString('latin1').matchAll(/^\{"seq":(\d+),/gm)].at(-1) ?? [];
    if (last !== undefined) return Number(last);
    return size === 0 ? segmentFirstSeq(name) - 1 : segmentFirstSeq(name);
  } finally {
    closeSync(descriptor);
  }
}
