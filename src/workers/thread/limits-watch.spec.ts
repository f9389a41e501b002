import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../../../test/support/eventually.js';
import { childrenOf, identify, type LiveProcess } from '../../machine/live-processes.js';
import { toldProcessLimit, watchLimits } from './limits-watch.js';

const LIMITS = { memoryMb: null, processes: 100, diskMb: null, cpuWeight: null, enforcedBy: 'watchdog' as const };

describe('that the kernel gives no further process', () => {
  it.each([
    './bomb.sh: 3: Cannot fork',
    'bash: fork: retry: Resource temporarily unavailable',
    'Error: spawn sh EAGAIN',
    'runtime/cgo: pthread_create failed: thread: Resource temporarily unavailable',
  ])('is told by "%s"', (line) => {
    expect(toldProcessLimit(['up', line], LIMITS)).toMatchObject({
      code: 'TOO_MANY_PROCESSES',
      context: { used: 100, limit: 100 },
    });
  });

  it.each(['read: Resource temporarily unavailable', 'Error: connect EAGAIN', 'forked'])(
    'is not told by "%s"',
    (line) => {
      expect(toldProcessLimit([line], LIMITS)).toBeUndefined();
    },
  );

  it('is nothing that a repository without this limit can have run into', () => {
    expect(toldProcessLimit(['Cannot fork'], { ...LIMITS, processes: null })).toBeUndefined();
  });
});

describe('a disk that takes long to measure', () => {
  const path = process.env.PATH;
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'limits-watch-'));
    writeFileSync(join(folder, 'du'), '#!/bin/sh\nexec sleep 60\n', { mode: 0o755 });
    process.env.PATH = `${folder}:${path}`;
  });
  afterEach(() => {
    process.env.PATH = path;
    rmSync(folder, { recursive: true });
  });

  it('does not keep the watch from the memory', async () => {
    const limits = { ...LIMITS, memoryMb: 1, processes: null, diskMb: 1 };
    const known = new Set(childrenOf(process.pid));
    const looks: LiveProcess[][] = [[]];
    const members = () => looks.shift() ?? [identify(process.pid) as LiveProcess];
    const over = new AbortController();
    const watch = watchLimits({ limits, members, folders: [folder], filesFreeBefore: 0 }, over.signal);
    expect(await watch).toMatchObject({ code: 'OUT_OF_MEMORY' });
    over.abort();
    await eventually('nothing is measured any more', () => childrenOf(process.pid).every((pid) => known.has(pid)));
  });
});
