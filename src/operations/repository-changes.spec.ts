import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DataSource } from 'typeorm';
import { entryOf } from '../../test/support/repository-entry.js';
import type { RepoEvent } from '../contracts/events.js';
import { InProcessEventBus } from '../events/in-process-event-bus.js';
import { Manifests } from '../registry/manifests.js';
import { Secrets } from '../registry/secrets.js';
import { openDatabase } from '../registry/sql/database.js';
import { SqlRepositoryRegistry } from '../registry/sql/sql-repository-registry.js';
import { RepositoryChanges } from './repository-changes.js';

describe('Changes of a repository', () => {
  let folder: string;
  let database: DataSource;
  let registry: SqlRepositoryRegistry;
  const events: RepoEvent[] = [];

  beforeEach(async () => {
    events.length = 0;
    folder = mkdtempSync(join(tmpdir(), 'docking-changes-'));
    database = await openDatabase(folder, () => undefined);
    const secrets = Secrets.load({ dataDir: folder });
    registry = new SqlRepositoryRegistry(database, new Manifests({ workspaceDir: folder }, secrets), secrets);
    await registry.insert(entryOf('r_1', 'owner-app'));
  });
  afterEach(async () => {
    await database.destroy();
    rmSync(folder, { recursive: true });
  });

  /** As a server has them that has just started. */
  function begin(): RepositoryChanges {
    const bus = new InProcessEventBus();
    bus.subscribe('event', ({ payload }) => events.push(payload));
    return new RepositoryChanges(registry, bus);
  }

  it('lose nothing of each other when they come at the same time', async () => {
    const changes = begin();
    const reason = { code: 'CRASH_LOOP', message: 'it dies again and again' } as const;
    await Promise.all([
      changes.apply('r_1', { branch: 'next' }),
      changes.apply('r_1', { state: 'error' }, { reason }),
      changes.apply('r_1', { commit: 'abc' }),
    ]);
    expect(await registry.find('r_1')).toMatchObject({
      branch: 'next',
      commit: 'abc',
      state: 'error',
      stateReason: reason,
    });
    expect(events.map(({ state, previousState }) => [previousState, state])).toEqual([['cloned', 'error']]);
    await registry.update('r_1', {}); // its turn comes behind all that is still to be written
  });

  it('are numbered on after a crash, however many there were, and no number comes twice', async () => {
    const changes = begin();
    const entry = entryOf('r_1', 'owner-app');
    for (let count = 0; count < 2_500; count += 1) changes.tell(entry, 'app-ready');
    await registry.update('r_1', {});
    const afterwards = begin();
    afterwards.tell((await registry.find('r_1')) ?? entry, 'app-ready');
    await registry.update('r_1', {});
    const numbers = events.map(({ seq }) => seq);
    expect(numbers).toHaveLength(2_501);
    expect(numbers).toEqual([...new Set(numbers)].toSorted((one, other) => one - other));
  });
});
