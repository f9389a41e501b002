import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LogWriter } from '../workers/thread/log-writer.js';
import { LogBudget, type LogStanding } from './log-budget.js';
import { LogReader } from './log-reader.js';

describe('the budget of the logs of a repository', () => {
  const SEGMENT_BYTES = 10_000;
  let folder: string;
  let reader: LogReader;
  let standings: Record<string, LogStanding>;
  let age: number;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'log-budget-'));
    reader = new LogReader(folder);
    standings = {};
    age = 1_000;
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const directory = (operationId: string) => join(folder, 'r_1', operationId);
  const segments = (operationId: string) => readdirSync(directory(operationId)).toSorted();
  const bytes = () =>
    readdirSync(join(folder, 'r_1'))
      .flatMap((operationId) => segments(operationId).map((name) => join(directory(operationId), name)))
      .reduce((sum, path) => sum + statSync(path).size, 0);
  const enforce = (maxBytes: number) =>
    new LogBudget(folder, reader, maxBytes).enforce('r_1', async () => (id) => standings[id] ?? 'finished');
  const kept = async (operationId: string) => (await reader.tail('r_1', operationId, 10_000)).lines.length;

  /** A log of `count` lines of about 100 bytes; those made later are newer. */
  function write(operationId: string, count: number, standing: LogStanding = 'finished'): void {
    const log = new LogWriter(
      { directory: directory(operationId), maxBytes: SEGMENT_BYTES, files: 100 },
      () => undefined,
    );
    for (let line = 0; line < count; line += 1) log.write('stdout', ['x'.repeat(50)]);
    log.close();
    standings[operationId] = standing;
    for (const name of segments(operationId)) utimesSync(join(directory(operationId), name), age, age++);
  }

  it('removes nothing while there is room', async () => {
    write('op_1', 50);
    await enforce(bytes());
    expect(await kept('op_1')).toBe(50);
  });

  it('is kept by removing the oldest lines first, whichever log they are in', async () => {
    for (const id of ['op_1', 'op_2', 'op_3']) write(id, 300);
    const newest = segments('op_3');
    await enforce(40_000);
    expect(bytes()).toBeLessThanOrEqual(40_000);
    expect(bytes()).toBeGreaterThan(30_000);
    expect(await kept('op_1')).toBe(0);
    expect(await kept('op_2')).toBeLessThan(300);
    expect(segments('op_3')).toEqual(newest);
  });

  it('takes the logs of failed operations last', async () => {
    write('failed', 50, 'failed');
    for (const id of ['op_1', 'op_2']) write(id, 300);
    await enforce(20_000);
    expect([await kept('failed'), await kept('op_1')]).toEqual([50, 0]);
    await enforce(1_000);
    expect([await kept('failed'), await kept('op_2')]).toEqual([0, 0]);
  });

  it('never takes what is being written, but for its older part when there is nothing else', async () => {
    write('app', 300, 'writing');
    write('op_1', 50);
    const all = segments('app');
    await enforce(bytes());
    expect([segments('app'), await kept('op_1')]).toEqual([all, 0]);
    await enforce(1);
    expect(segments('app')).toEqual(all.slice(-1));
  });

  it('has room for what will be written next, and says how much', async () => {
    write('op_1', 50);
    write('app', 20, 'writing');
    expect(await enforce(2 * bytes())).toBe(Math.floor(0.2 * bytes()));
    expect(await kept('op_1')).toBe(50);
    await enforce(bytes());
    expect([await kept('op_1'), await kept('app')]).toEqual([0, 20]);
  });

  it('leaves of a log that is gone how many lines it had', async () => {
    write('op_1', 50);
    await enforce(0);
    expect(await reader.exists('r_1', 'op_1')).toBe(true);
    const gone = { lines: [], nextCursor: '50', dropped: 50 };
    expect(await reader.tail('r_1', 'op_1', 100)).toEqual(gone);
    expect(await reader.after('r_1', 'op_1', 0, 100)).toEqual(gone);
    expect(await reader.after('r_1', 'op_1', 20, 100)).toEqual({ ...gone, dropped: 30 });
    expect(await reader.after('r_1', 'op_1', 50, 100)).toEqual({ ...gone, dropped: 0 });
    write('op_1', 1);
    expect(await reader.after('r_1', 'op_1', 50, 100)).toMatchObject({ lines: [{ seq: 51 }], dropped: 0 });
  });

  it('is kept by a repository without any', async () => {
    expect(await enforce(10)).toBe(1);
    expect(existsSync(join(folder, 'r_1'))).toBe(false);
  });
});
