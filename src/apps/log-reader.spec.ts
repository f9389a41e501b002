import { appendFileSync, mkdtempSync, readdirSync, rmSync, truncateSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LogWriter } from '../workers/thread/log-writer.js';
import { LogReader } from './log-reader.js';

describe('the reader of logs', () => {
  let folder: string;
  let reader: LogReader;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'log-reader-'));
    reader = new LogReader(folder);
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const directory = () => join(folder, 'r_1', 'op_1');
  const segments = () =>
    readdirSync(directory())
      .toSorted()
      .map((name) => join(directory(), name));
  const tail = (count: number) => reader.tail('r_1', 'op_1', count);
  const after = (cursor: number, limit = 1_000) => reader.after('r_1', 'op_1', cursor, limit);
  const range = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, index) => first + index);

  /** Lines 1 to `count`, each with its own number as text. */
  function write(count: number, { padding = '', maxBytes = 1_000_000 } = {}): void {
    const log = new LogWriter({ directory: directory(), maxBytes, files: 3 }, () => undefined);
    for (let line = 1; line <= count; line += 1) log.write('stdout', [`${line}${padding}`]);
    log.close();
  }

  it('finds nothing where there is no log', async () => {
    expect(await tail(10)).toEqual({ lines: [], nextCursor: '0', dropped: 0 });
    expect(await after(0)).toEqual({ lines: [], nextCursor: '0', dropped: 0 });
    expect(await reader.exists('r_1', 'op_1')).toBe(false);
  });

  it('reads the last lines', async () => {
    write(5_000, { padding: ' äöü '.repeat(20) });
    const page = await tail(1_500);
    expect(page.lines.map(({ seq }) => seq)).toEqual(range(3_501, 5_000));
    expect(page).toMatchObject({ nextCursor: '5000', dropped: 0 });
    expect(page.lines[0]?.text).toMatch(/^3501 äöü/);
    expect(await reader.exists('r_1', 'op_1')).toBe(true);
  });

  it('reads no line and yet tells where to go on', async () => {
    write(7);
    expect(await tail(0)).toEqual({ lines: [], nextCursor: '7', dropped: 0 });
  });

  it.each([0, 1, 999, 4_321, 4_998])('goes on after line %i, wherever that stands', async (cursor) => {
    write(5_000, { padding: ' '.repeat(100), maxBytes: 300_000 });
    const { lines, nextCursor, dropped } = await after(cursor, 3);
    const last = Math.min(5_000, cursor + 3);
    expect(lines.map(({ seq }) => seq)).toEqual(range(cursor + 1, last));
    expect([nextCursor, dropped]).toEqual([String(last), 0]);
  });

  it('reads across segments to the end, and stays there', async () => {
    write(3_000, { padding: ' '.repeat(100), maxBytes: 200_000 });
    expect(segments().length).toBeGreaterThan(1);
    const seqs: number[] = [];
    for (let cursor = 0; ;) {
      const { lines, nextCursor } = await after(cursor, 700);
      if (lines.length === 0) break;
      seqs.push(...lines.map(({ seq }) => seq));
      cursor = Number(nextCursor);
    }
    expect(seqs).toEqual(range(1, 3_000));
    expect(await after(3_000)).toEqual({ lines: [], nextCursor: '3000', dropped: 0 });
  });

  it('ends a page before it is too much to send at once, as the lines are written in JSON', async () => {
    write(30, { padding: '\x01'.repeat(16_000) });
    const first = await after(0);
    expect(Buffer.byteLength(JSON.stringify(first))).toBeLessThan(1_100_000);
    expect(first.lines.length).toBeGreaterThan(5);
    expect((await after(Number(first.nextCursor))).lines[0]?.seq).toBe(first.lines.length + 1);
    expect(await tail(30)).toMatchObject({ nextCursor: '30', dropped: 0 });
    expect((await tail(30)).lines.at(-1)?.seq).toBe(30);
  });

  it('says how many lines are no longer kept', async () => {
    write(10_000, { padding: ' '.repeat(100), maxBytes: 100_000 });
    const { lines, dropped } = await after(10, 5);
    const first = lines[0]?.seq ?? 0;
    expect(first).toBeGreaterThan(1_000);
    expect(dropped).toBe(first - 11);
    const all = await tail(10_000);
    expect(all.dropped).toBe((all.lines[0]?.seq ?? 0) - 1);
    expect((await tail(10)).dropped).toBe(0);
  });

  it('leaves out a last line that is not whole yet, and reads it once it is', async () => {
    write(3);
    const [segment = ''] = segments();
    const line = JSON.stringify({ seq: 4, time: 1, stream: 'stdout', text: '4' });
    appendFileSync(segment, line.slice(0, 20));
    expect((await tail(10)).nextCursor).toBe('3');
    expect((await after(3)).lines).toEqual([]);
    appendFileSync(segment, `${line.slice(20)}\n`);
    expect((await after(3)).lines.map(({ text }) => text)).toEqual(['4']);
  });

  it('counts a line that was torn as dropped, and reads those around it', async () => {
    write(3);
    const [segment = ''] = segments();
    truncateSync(segment, statSync(segment).size - 5);
    appendFileSync(segment, `\n${JSON.stringify({ seq: 4, time: 1, stream: 'stdout', text: '4' })}\n`);
    for (const page of [await tail(10), await after(0)]) {
      expect(page.lines.map(({ seq }) => seq)).toEqual([1, 2, 4]);
      expect(page.dropped).toBe(1);
    }
  });

  it('reads lines of the greatest length, and no more of them at once than fit in memory', async () => {
    write(400, { padding: '\u0001'.repeat(16_000), maxBytes: 100_000_000 });
    const page = await tail(400);
    expect(page.lines.length).toBeLessThan(300);
    expect(page).toMatchObject({ nextCursor: '400', dropped: 0 });
    expect((await after(200)).lines[0]?.seq).toBe(201);
  });
});
