import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isRoot } from '../../../test/support/server-users.js';
import { identify, type LiveProcess } from '../../machine/live-processes.js';
import { measureDisk, restMs } from './disk-watch.js';

const LIMITS = { memoryMb: null, processes: null, diskMb: 4, cpuWeight: null, enforcedBy: 'watchdog' as const };
const FILLED =
  'map = mmap.mmap(fd, 16 << 20); map.write(b"x" * (16 << 20)); print("ready", flush=True); sys.stdin.read()';
const FILE = 'file = open("mapped", "w+b"); file.truncate(16 << 20); os.unlink("mapped"); fd = os.dup(file.fileno())';

describe('What takes disk', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'disk-watch-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  async function measured(script: string) {
    const child = spawn('python3', ['-c', `import mmap, os, sys; ${script}`], {
      cwd: folder,
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    const members = () => [identify(Number(child.pid)) as LiveProcess];
    const found = await measureDisk({ limits: LIMITS, folders: [folder], members, filesFreeBefore: 0 });
    const ended = once(child, 'exit');
    child.kill();
    await ended;
    return found;
  }

  it('is no memory that processes share', async () => {
    expect(await measured(`fd = -1; ${FILLED}`)).toBeUndefined();
  });

  const itAsRoot = isRoot ? it : it.skip;
  itAsRoot('is a file that is deleted and closed, as long as it is mapped', async () => {
    const code = await measured(`${FILE}; ${FILLED.replace(';', '; os.close(fd); file.close();')}`);
    expect(code).toMatchObject({ code: 'DISK_QUOTA' });
  });

  it.each([
    [10, 3_000],
    [500, 10_000],
    [60_000, 15_000],
  ])('is looked at again after a rest, which depends on how long it took (%i ms: %i ms)', (took, rest) =>
    expect(restMs(took)).toBe(rest),
  );
});
