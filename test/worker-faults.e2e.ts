import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { eventually } from './support/eventually.js';
import { packageJson } from './support/fixtures.js';
import { sample } from './support/matrix.js';
import { processesOf } from './support/traces.js';
import { useStation } from './support/use-station.js';

const TIMES = 2;
const TIMEOUT_MS = 500;
/** What a thread has after the abort before it is ended by force, and some for a busy machine. */
const FORCED_END_MS = 5_000 + 10_000;

interface Health {
  details: { workers: { busy: number; idle: number; sessions: number } };
}

describe('a thread that', () => {
  const kit = useStation({
    env: {
      NODE_OPTIONS: `--import=${pathToFileURL(resolve('test/fixtures/workers/faults.js')).href}`,
      SANDBOX: 'none',
      MAX_WORKERS: '1', // a slot that is not given back stops everything
      WORKER_MEMORY_MB: '32',
    },
  });
  const repositories = ['first', 'second'];
  let url: string;
  let pid: number | undefined;

  beforeAll(async () => {
    ({ pid } = kit.station);
    ({ url } = await kit.git.createRepository('owner/app', {
      files: { 'package.json': packageJson({ fine: 'echo fine' }) },
    }));
    for (const repoId of repositories) await kit.station.clone(url, { repoId });
  }, 60_000);

  /** Nothing is left of the faults: no process, no thread, no slot, no lock on a repository, and the server is the same. */
  async function expectNothingIsLeft(): Promise<void> {
    expect(processesOf(kit.station)).toEqual([]);
    for (const repoId of repositories) {
      const { body } = await kit.station.run(repoId, { script: 'fine', background: false });
      expect(body.result).toMatchObject({ exitCode: 0, output: 'fine\n' });
      expect((await kit.station.entry(repoId)).body.result).toMatchObject({ state: 'stopped' });
    }
    await eventually('the threads are those that wait for work', async () => {
      const { body } = await kit.station.api('GET', '/health', undefined, { key: null });
      const { busy, idle, sessions } = (body as unknown as Health).details.workers;
      return busy === 0 && idle === 2 && sessions === 0;
    });
    expect(kit.station.pid).toBe(pid);
  }

  it.each([
    ['exits', 'exited with code 1'],
    ['throws', 'outside of any promise'],
    ['throws-nothing', 'it threw undefined'],
    ['rejects', 'handled by nobody'],
    ['throws-unclonable', 'no thread can be told this'],
    ['posts-unclonable', 'it threw'],
    ['runs-out-of-memory', 'memory limit'],
  ])(
    '%s costs its own operation, each time',
    async (script, detail) => {
      for (let time = 0; time < TIMES; time += 1) {
        const { status, body } = await kit.station.run('first', { script });
        expect([status, body]).toMatchObject([500, { code: 'WORKER_CRASHED', repoId: 'first' }]);
        expect(body.detail).toContain(detail);
      }
      await expectNothingIsLeft();
    },
    60_000,
  );

  const endless = [
    { script: 'loops', among: repositories.slice(0, 1) }, // each takes a whole core until its end by force
    { script: 'blocks', among: repositories },
  ];
  it.each(sample(endless))(
    '$script for ever costs its own operation, which times out',
    async ({ script, among }) => {
      const beganAt = performance.now();
      const run = { script, background: false, timeoutMs: TIMEOUT_MS };
      const answers = await Promise.all(among.map((repoId) => kit.station.run(repoId, run)));
      for (const { status, body } of answers) {
        expect([status, body]).toMatchObject([504, { code: 'TIMED_OUT', context: { timeoutMs: TIMEOUT_MS } }]);
      }
      expect(performance.now() - beganAt).toBeLessThan(TIMEOUT_MS + FORCED_END_MS);
      await expectNothingIsLeft();
    },
    60_000,
  );

  it('has been at fault is forgotten by the next clone', async () => {
    expect((await kit.station.clone(url, { repoId: 'fifth' })).status).toBe(201);
  });
});
