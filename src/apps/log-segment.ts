import type { FileHandle } from 'node:fs/promises';
import type { LogLine } from '../contracts/log.js';

/** Of one read; also how close the search comes to a line before it is read through to. */
const BLOCK_BYTES = 65_536;
/** Of one read where the beginning of a line is looked for. */
const PROBE_BYTES = 4_096;
/** Enough for how every line begins. */
const SEQ_BYTES = 32;
const BEGINS_WITH_SEQ = /^\{"seq":(\d+),/;
const NEWLINE = 0x0a;

export interface StoredLine {
  line: LogLine;
  /** As JSON, which is how readers are sent it: a control character takes six. */
  bytes: number;
}

/**
 * The lines of a segment after the one with seq `cursor`, in order. What is no whole line is left out: the last one while
 * it is being written, and one that a full disk or a crash has torn.
 */
export async function* linesAfter(file: FileHandle, cursor: number): AsyncGenerator<StoredLine, void> {
  for await (const stored of linesFrom(file, await offsetBefore(file, cursor)))
    if (stored.line.seq > cursor) yield stored;
}

/** The lines of a segment from the last to the first. */
export async function* linesBackwards(file: FileHandle): AsyncGenerator<StoredLine, void> {
  let offset = (await file.stat()).size;
  let rest = Buffer.alloc(0);
  // What follows the last newline is not whole yet.
  for (let torn = true; offset > 0;) {
    const start = Math.max(0, offset - BLOCK_BYTES);
    const block = Buffer.concat([await readAt(file, start, offset - start), rest]);
    let end = block.length;
    for (let at = block.lastIndexOf(NEWLINE); at >= 0; at = at === 0 ? -1 : block.lastIndexOf(NEWLINE, at - 1)) {
      const stored = torn ? undefined : parse(block.subarray(at + 1, end));
      torn = false;
      if (stored) yield stored;
      end = at;
    }
    rest = block.subarray(0, end);
    offset = start;
    if (offset === 0 && !torn) {
      const stored = parse(rest);
      if (stored) yield stored;
    }
  }
}

/** An offset at or before the first line after `cursor`, found by halving: seqs grow. */
async function offsetBefore(file: FileHandle, cursor: number): Promise<number> {
  let low = 0;
  let high = (await file.stat()).size;
  while (high - low > BLOCK_BYTES) {
    const middle = Math.floor((low + high) / 2);
    const first = await firstSeqAfter(file, middle);
    if (first !== undefined && first <= cursor) low = middle;
    else high = middle;
  }
  return low;
}

/**
 * The seq of the first line that begins after `offset`, which may lie within another. Of the lines themselves, which may be
 * long, nothing more is kept or parsed: each look goes through here several times.
 */
async function firstSeqAfter(file: FileHandle, offset: number): Promise<number | undefined> {
  const buffer = Buffer.allocUnsafe(PROBE_BYTES);
  for (let at = offset; ;) {
    const { bytesRead } = await file.read(buffer, 0, PROBE_BYTES, at);
    if (bytesRead === 0) return undefined;
    const newline = buffer.subarray(0, bytesRead).indexOf(NEWLINE);
    at += newline < 0 ? bytesRead : newline + 1;
    if (newline < 0) continue;
    const begin = await readAt(file, at, SEQ_BYTES);
    const seq = BEGINS_WITH_SEQ.exec(begin.toString('latin1'))?.[1];
    if (seq !== undefined) return Number(seq); // else it is torn, or not written yet
  }
}

/** From an offset that may lie within a line: what is left of that one does not parse. One buffer serves all reads. */
async function* linesFrom(file: FileHandle, start: number): AsyncGenerator<StoredLine, void> {
  let buffer = Buffer.allocUnsafe(BLOCK_BYTES);
  let filled = 0;
  for (let offset = start; ;) {
    if (filled === buffer.length) buffer = Buffer.concat([buffer], 2 * filled); // a line is longer than it
    const { bytesRead } = await file.read(buffer, filled, buffer.length - filled, offset);
    if (bytesRead === 0) return;
    const block = buffer.subarray(0, filled + bytesRead);
    let begin = 0;
    for (let at = block.indexOf(NEWLINE, filled); at >= 0; at = block.indexOf(NEWLINE, begin)) {
      const stored = parse(block.subarray(begin, at));
      if (stored) yield stored;
      begin = at + 1;
    }
    block.copyWithin(0, begin);
    filled = block.length - begin;
    offset += bytesRead;
  }
}

async function readAt(file: FileHandle, offset: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(length), 0, length, offset);
  return buffer.subarray(0, bytesRead);
}

function parse(json: Buffer): StoredLine | undefined {
  try {
    const line = JSON.parse(json.toString('utf8')) as LogLine | null;
    return typeof line?.seq === 'number' ? { line, bytes: json.length } : undefined;
  } catch {
    return undefined; // a piece of a line
  }
}
