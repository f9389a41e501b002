import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DataSource } from 'typeorm';
import { eventually } from '../../test/support/eventually.js';
import { entryOf } from '../../test/support/repository-entry.js';
import { describeAsRoot } from '../../test/support/server-users.js';
import type { StationConfig } from '../config/config.js';
import { Manifests } from '../registry/manifests.js';
import { Secrets } from '../registry/secrets.js';
import { openDatabase } from '../registry/sql/database.js';
import { SqlRepositoryRegistry } from '../registry/sql/sql-repository-registry.js';
import { RepositoryEntries } from './repository-entries.js';
import { StationFolders } from './station-folders.js';

// Root alone can make a folder that root cannot remove: one with something mounted in it.
describeAsRoot('A repository that is taken out again', () => {
  let root: string;
  let database: DataSource;
  beforeEach(async () => {
    root = mkdtempSync(join(tmpdir(), 'docking-entries-'));
    database = await openDatabase(root, () => undefined);
  });
  afterEach(async () => {
    await database.destroy();
    rmSync(root, { recursive: true });
  });

  it('leaves what cannot be removed yet where the next start looks, and its name to the next one', async () => {
    const workspaceDir = join(root, 'workspace');
    const config = { dataDir: root, workspaceDir } as StationConfig;
    const secrets = Secrets.load(config);
    const registry = new SqlRepositoryRegistry(database, new Manifests(config, secrets), secrets);
    const entry = entryOf('r_1', 'owner-app');
    await registry.insert(entry);
    const busy = join(workspaceDir, entry.workspace, 'busy');
    for (const folder of [busy, join(workspaceDir, '.staging')]) mkdirSync(folder, { recursive: true });
    execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', busy]);
    const withdrawn = new RepositoryEntries(
      config,
      registry,
      new StationFolders(config),
      undefined as never,
      undefined as never,
    ).withdraw(entry);
    const names = () => readdirSync(workspaceDir).filter((name) => name !== '.manifests');
    try {
      await eventually('its name is free', () => names().join() === '.staging');
    } finally {
      const places = [busy, join(workspaceDir, '.staging/.withdrawn-r_1/busy')];
      execFileSync('umount', places.filter(existsSync));
    }
    await withdrawn;
    expect(readdirSync(join(workspaceDir, '.staging'))).toEqual([]);
    expect(await registry.list()).toEqual([]);
  });
});
