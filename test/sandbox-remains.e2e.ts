import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { eventually } from './support/eventually.js';
import { packageJson, programs } from './support/fixtures.js';
import { processesTagged } from './support/processes.mjs';
import type { Station } from './support/station.js';
import { filesOf, openFilesOf, processesOf, stagedOf, zombiesOf } from './support/traces.js';
import { useStation } from './support/use-station.js';

const TAG = 'of-a-sandbox';
/** A thread that does not answer is ended by force some seconds after the abort. */
const FORCED_END_MS = 30_000;

const SCRIPTS = {
  install: 'node waits.js',
  start: 'node detached-child.js insists-on-port-3000.js 127.0.0.1',
  waits: './double-forks.sh node ignores-sigterm.js; node waits.js',
  'loops-later': 'node detached-child.js listens.js; node waits.js',
};

/** Of sandboxes, their networks and their folders nothing is left that could be seen from outside. */
const remainsOf = (station: Station) => ({
  processes: processesOf(station),
  tagged: processesTagged(TAG),
  zombies: zombiesOf(station),
  folders: [...filesOf(station).filter((path) => path.startsWith('.staging/.')), ...stagedOf(station)],
});
const NOTHING = { processes: [], tagged: [], zombies: [], folders: [] };

describe('of a sandbox with a network of its own nothing is left', () => {
  const kit = useStation({
    env: {
      NETWORK: 'private',
      NODE_OPTIONS: `--import=${pathToFileURL(resolve('test/fixtures/workers/faults.js')).href}`,
    },
  });
  const env = { TAG };
  let repoId: string;
  let files: number;

  beforeAll(async () => {
    const repository = { 'package.json': packageJson(SCRIPTS), ...programs() };
    const { url } = await kit.git.createRepository('owner/app', { files: repository });
    ({ repoId } = (await kit.station.clone(url)).body);
    await kit.station.run(repoId, { env });
    await kit.station.stop(repoId);
    files = openFilesOf(kit.station);
  }, 120_000);

  async function expectNothingIsLeft(): Promise<void> {
    await eventually(
      'the thread has ended',
      async () => {
        const { body } = await kit.station.api('GET', '/health');
        const { workers } = (body as unknown as { details: { workers: Record<string, number> } }).details;
        return workers.busy === 0 && workers.sessions === 0;
      },
      FORCED_END_MS,
    );
    expect(remainsOf(kit.station)).toEqual(NOTHING);
    await eventually('as few files are open as before', () => openFilesOf(kit.station) <= files + 2);
  }

  it('after a stop', async () => {
    expect((await kit.station.run(repoId, { env })).body.result).toMatchObject({ ready: true, appPort: 3000 });
    expect(processesTagged(TAG).length).toBeGreaterThan(0);
    await kit.station.stop(repoId);
    await expectNothingIsLeft();
  }, 60_000);

  it('after a cancel', async () => {
    const { operationId } = (await kit.station.install(repoId, {}, { headers: { prefer: 'respond-async' } })).body;
    await eventually('its sandbox is there', () => processesOf(kit.station).length > 3, 20_000);
    expect((await kit.station.cancel(operationId)).body.result.status).toBe('cancelled');
    await expectNothingIsLeft();
  }, 60_000);

  it('after a timeout', async () => {
    const run = await kit.station.run(repoId, { script: 'waits', background: false, timeoutMs: 4_000, env });
    expect(run.body.code).toBe('TIMED_OUT');
    await expectNothingIsLeft();
  }, 60_000);

  it('after the server was killed', async () => {
    await kit.station.run(repoId, { env, restartPolicy: 'no' });
    await kit.station.kill('SIGKILL');
    await eventually('nothing lives any more', () => processesOf(kit.station).length === 0);
    expect(processesTagged(TAG)).toEqual([]);
    await kit.station.restart();
    expect(remainsOf(kit.station)).toEqual(NOTHING);
    files = openFilesOf(kit.station);
  }, 60_000);

  it('after its thread was ended by force', async () => {
    const run = await kit.station.run(repoId, { script: 'loops-later', background: false, timeoutMs: 5_000, env });
    expect(run.body.code).toBe('TIMED_OUT');
    expect(remainsOf(kit.station)).toEqual(NOTHING);
    expect((await kit.station.run(repoId, { env })).body.result).toMatchObject({ ready: true });
  }, 60_000);
});
