import { closeSync, mkdirSync, openSync, readFileSync, readdirSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { MAX_LINE_CHARS, segmentName, type LogLine, type LogStream } from '../../contracts/log.js';

interface LogLimits {
  directory: string;
  /** Size at which a segment is closed and the next one begun. */
  maxBytes: number;
  /** How many segments are kept; the oldest goes first. */
  files: number;
}

const NOTICE_INTERVAL_MS = 100;
const TAIL_LINES = 40;

/**
 * Writes one log as NDJSON segments. Writing is synchronous on purpose: it happens in a thread of its own, and so a
 * program that writes faster than the disk waits in its pipe instead of filling memory.
 */
export class LogWriter {
  private seq = 0;
  private descriptor: number | undefined;
  private segmentBytes = 0;
  private readonly tail: string[] = [];
  private notice: NodeJS.Timeout | undefined;

  constructor(
    private readonly limits: LogLimits,
    private readonly onLines: (lastSeq: number) => void,
  ) {
    mkdirSync(limits.directory, { recursive: true });
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
    for (const text of texts) {
      const line: LogLine = { seq: ++this.seq, time: Date.now(), stream, text };
      batch += `${JSON.stringify(line)}\n`;
      this.tail.push(text);
      if (batch.length > MAX_LINE_CHARS) {
        this.append(batch);
        batch = '';
      }
    }
    this.tail.splice(0, this.tail.length - TAIL_LINES);
    if (batch) this.append(batch);
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
    this.onLines(this.seq);
  }

  private append(batch: string): void {
    const bytes = Buffer.from(batch);
    const perSegment = this.limits.maxBytes;
    if (this.descriptor !== undefined && this.segmentBytes + bytes.length > perSegment) this.rotate();
    if (this.descriptor === undefined) {
      const firstSeq = (JSON.parse(batch.slice(0, batch.indexOf('\n'))) as LogLine).seq;
      this.descriptor = openSync(join(this.limits.directory, segmentName(firstSeq)), 'a');
      this.segmentBytes = 0;
    }
    this.segmentBytes += bytes.length;
    try {
      for (let sent = 0; sent < bytes.length;) sent += writeSync(this.descriptor, bytes, sent);
    } catch {
      // The disk is full: the output is lost, the program goes on. Readers see the gap in seq.
    }
  }

  private rotate(): void {
    if (this.descriptor !== undefined) closeSync(this.descriptor);
    this.descriptor = undefined;
    const segments = readdirSync(this.limits.directory).toSorted();
    for (const name of segments.slice(0, Math.max(0, segments.length - this.limits.files + 1))) {
      rmSync(join(this.limits.directory, name), { force: true });
    }
  }
}

/** A log that is written to again goes on counting after its last line. */
function continuedSeq(directory: string): number {
  const last = readdirSync(directory).toSorted().at(-1);
  if (last === undefined) return 0;
  const lines = readFileSync(join(directory, last), 'utf8').split('\n').slice(0, -1);
  return Number.parseInt(last, 10) + lines.length - 1;
}

/** Cuts a byte stream into lines, never inside a character; a line beyond the maximum is cut and says by how much. */
export class LineSplitter {
  private readonly decoder = new StringDecoder('utf8');
  private line = '';
  private cut = 0;

  push(chunk: Buffer): string[] {
    return this.split(this.decoder.write(chunk));
  }

  end(): string[] {
    const lines = this.split(this.decoder.end());
    return this.line || this.cut ? [...lines, this.take()] : lines;
  }

  private split(text: string): string[] {
    const parts = text.split('\n');
    const lines: string[] = [];
    parts.forEach((part, index) => {
      this.add(part);
      if (index < parts.length - 1) lines.push(this.take());
    });
    return lines;
  }

  private add(part: string): void {
    const room = MAX_LINE_CHARS - this.line.length;
    this.line += part.slice(0, room);
    this.cut += Math.max(0, part.length - room);
  }

  private take(): string {
    const text = this.line.endsWith('\r') ? this.line.slice(0, -1) : this.line;
    const whole = this.cut === 0 ? text : `${text} [${this.cut} more characters cut]`;
    this.line = '';
    this.cut = 0;
    return whole;
  }
}
