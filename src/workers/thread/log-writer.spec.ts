import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { segmentFirstSeq, segmentName, type LogLine } from '../../contracts/log.js';
import { LogWriter } from './log-writer.js';

describe('a log', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'log-writer-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const directory = () => join(folder, 'log');
  const open = (maxBytes = 1_000_000, onLines: (lastSeq: number, newBytes: number) => void = () => undefined) =>
    new LogWriter({ directory: directory(), maxBytes, files: 3 }, onLines);
  const segments = () => readdirSync(directory()).toSorted();
  const lines = () =>
    segments()
      .flatMap((name) => readFileSync(join(directory(), name), 'utf8').split('\n').filter(Boolean))
      .map((line) => JSON.parse(line) as LogLine);

  it('makes no folder before there is a line', () => {
    open().close();
    expect(readdirSync(folder)).toEqual([]);
  });

  it('counts its lines, of all streams', async () => {
    const log = open();
    log.write('system', ['$ start']);
    await log.follow(Readable.from([Buffer.from('one\ntw'), Buffer.from('o\n')]), 'stdout');
    log.close();
    expect(lines().map(({ seq, stream, text }) => [seq, stream, text])).toEqual([
      [1, 'system', '$ start'],
      [2, 'stdout', 'one'],
      [3, 'stdout', 'two'],
    ]);
  });

  it('is never larger than its segments, and loses the oldest', () => {
    const log = open(10_000);
    for (let line = 0; line < 1_000; line += 1) log.write('stdout', ['x'.repeat(100)]);
    log.close();
    expect(segments()).toHaveLength(3);
    for (const name of segments()) expect(statSync(join(directory(), name)).size).toBeLessThanOrEqual(10_000);
    expect(lines()[0]?.seq).toBe(segmentFirstSeq(segments()[0] ?? ''));
    expect(lines().at(-1)?.seq).toBe(1_000);
  });

  it('goes on counting where it ended', () => {
    const first = open();
    first.write('stdout', ['one', 'two', 'three']);
    first.close();
    appendFileSync(join(directory(), segments()[0] ?? ''), '{"seq":4,"time":1,"str'); // torn by a crash
    const second = open();
    second.write('stdout', ['four']);
    second.close();
    expect(readFileSync(join(directory(), segments()[1] ?? ''), 'utf8')).toMatch(/^\{"seq":5,.*"four"\}\n$/);
  });

  it('goes on counting where it ended, also when all but its length is gone', () => {
    mkdirSync(directory());
    writeFileSync(join(directory(), segmentName(4)), '');
    const log = open();
    log.write('stdout', ['four']);
    log.close();
    expect([segments(), lines()]).toMatchObject([[segmentName(4)], [{ seq: 4, text: 'four' }]]);
  });

  it('loses lines that cannot be written, and goes on', () => {
    const log = open();
    writeFileSync(directory(), 'a file in the place of the folder');
    log.write('stdout', ['lost']);
    rmSync(directory());
    log.write('stdout', ['kept']);
    log.close();
    expect(lines().map(({ seq, text }) => [seq, text])).toEqual([[2, 'kept']]);
  });

  it('tells of new lines and how large they are, not of each', () => {
    const told: [number, number][] = [];
    const log = open(1_000_000, (...news) => told.push(news));
    for (let line = 0; line < 100; line += 1) log.write('stdout', ['x']);
    log.close();
    expect(told).toEqual([[100, statSync(join(directory(), segments()[0] ?? '')).size]]);
  });

  it('tells sooner when they are many', () => {
    const told: number[] = [];
    const log = open(100_000_000, (_, newBytes) => told.push(newBytes));
    for (let line = 0; line < 300; line += 1) log.write('stdout', ['x'.repeat(16_000)]);
    expect(told).toHaveLength(4);
    log.close();
  });
});
