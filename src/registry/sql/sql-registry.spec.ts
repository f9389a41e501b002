import { execFileSync } from 'node:child_process';
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DataSource } from 'typeorm';
import { entryOf, TOKEN } from '../../../test/support/repository-entry.js';
import type { Operation } from '../../contracts/shapes.js';
import { Manifests } from '../manifests.js';
import { Secrets } from '../secrets.js';
import { openDatabase } from './database.js';
import { SqlOperationHistory } from './sql-operation-history.js';
import { SqlRepositoryRegistry } from './sql-repository-registry.js';

describe('the registry', () => {
  let folder: string;
  let database: DataSource;
  const damaged: string[] = [];
  const open = () => openDatabase(folder, (keptAs) => void damaged.push(keptAs));
  const secrets = () => Secrets.load({ dataDir: folder });
  const manifests = () => new Manifests({ workspaceDir: folder }, secrets());
  const registry = () => new SqlRepositoryRegistry(database, manifests(), secrets());

  beforeEach(async () => {
    damaged.length = 0;
    folder = mkdtempSync(join(tmpdir(), 'docking-registry-'));
    database = await open();
  });

  afterEach(async () => {
    if (database.isInitialized) await database.destroy();
    rmSync(folder, { recursive: true });
  });

  it('gives back what was entered, secrets included, and keeps them unreadable on disk', async () => {
    const entry = entryOf('r_1', 'owner-app');
    await registry().insert(entry);
    expect(await registry().find('r_1')).toEqual(entry);
    await database.destroy();
    const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((file) => file.isFile());
    const content = files.map((file) => readFileSync(join(file.parentPath, file.name), 'latin1')).join();
    expect(content).toContain('owner-app');
    expect(content).not.toContain(TOKEN);
  });

  it('refuses a second repository of the same name and owner, and takes one of another owner', async () => {
    await registry().insert(entryOf('r_1', 'owner-app'));
    const again = registry().insert(entryOf('r_2', 'owner-app'));
    await expect(again).rejects.toMatchObject({ code: 'REPO_ID_TAKEN' });
    await registry().insert({ ...entryOf('r_3', 'owner-app'), owner: 'bob' });
    expect(await registry().findByRepoId('owner-app')).toHaveLength(2);
  });

  it('loses no change of two that are made at once', async () => {
    const one = registry();
    await one.insert(entryOf('r_1', 'owner-app'));
    await Promise.all([one.update('r_1', { commit: 'abc' }), one.update('r_1', { visibility: 'shared' })]);
    expect(await one.find('r_1')).toMatchObject({ commit: 'abc', visibility: 'shared' });
  });

  describe('whose copy in the workspace the repository stands in the way of', () => {
    const inWorkspace = (name = '.mcp-isolation.json') => join(folder, 'owner-app', name);
    const before = () => registry().insert(entryOf('r_1', 'owner-app'));
    const copy = () => JSON.parse(readFileSync(inWorkspace(), 'utf8')) as { commit: string };
    beforeEach(() => mkdirSync(join(folder, 'owner-app')));

    it.each([
      [
        'a folder with the name of its next version',
        () => mkdirSync(inWorkspace('.mcp-isolation.json.next/x'), { recursive: true }),
      ],
      ['a pipe with that name', () => execFileSync('mkfifo', [inWorkspace('.mcp-isolation.json.next')])],
    ])('by %s writes it all the same', async (_, plant) => {
      await before();
      plant();
      await registry().update('r_1', { commit: 'abc' });
      expect(copy().commit).toBe('abc');
    });

    it.each([
      ['a folder', () => mkdirSync(inWorkspace())],
      ['a pipe', () => execFileSync('mkfifo', [inWorkspace()])],
      ['a link that leads out', () => symlinkSync(join(folder, '.manifests/r_1.json'), inWorkspace())],
      ['nothing but null', () => writeFileSync(inWorkspace(), 'null')],
      ['what is too large to be it', () => writeFileSync(inWorkspace(), `{"uid":"r_1"}${' '.repeat(100_000)}`)],
    ])('by %s remembers the change, and leaves that alone', async (_, plant) => {
      await before();
      rmSync(inWorkspace());
      plant();
      const { ino } = lstatSync(inWorkspace());
      await registry().update('r_1', { commit: 'abc' });
      expect(await registry().find('r_1')).toMatchObject({ commit: 'abc' });
      expect(lstatSync(inWorkspace()).ino).toBe(ino);
      expect((await manifests().readAll(() => undefined))[0]).toMatchObject({ commit: 'abc' });
    });

    it('so that it cannot be written remembers the change', async () => {
      await before();
      mkdirSync(join(folder, '.manifests/r_1.json.readable/x'), { recursive: true });
      await registry().update('r_1', { commit: 'abc' });
      expect(await registry().find('r_1')).toMatchObject({ commit: 'abc' });
    });
  });

  it.each([
    ['empty', (file: string) => truncateSync(file, 0)],
    ['cut in half', (file: string) => truncateSync(file, 9_000)],
    ['garbage', (file: string) => writeFileSync(file, '[]'.repeat(9_000))],
  ])('is rebuilt from the manifests when its file is %s', async (_, damage) => {
    await registry().insert(entryOf('r_1', 'owner-app'));
    await database.destroy();
    for (const part of ['-wal', '-shm']) rmSync(join(folder, `station.db${part}`), { force: true });
    damage(join(folder, 'station.db'));
    database = await open();
    const found = await manifests().readAll((file) => void damaged.push(file));
    expect(found).toEqual([entryOf('r_1', 'owner-app')]);
    expect(await registry().list()).toEqual([]);
    expect(damaged.every((kept) => readFileSync(kept).length > 0)).toBe(true);
  });

  it('pages through the history, newest first, and prunes beyond 200 of a repository', async () => {
    const history = new SqlOperationHistory(database);
    for (let number = 0; number < 203; number += 1) await history.insert(operationOf(number));
    const first = await history.list({ uid: 'r_1', limit: 2 });
    expect(first.operations.map(({ operationId }) => operationId)).toEqual(['op_202', 'op_201']);
    const second = await history.list({ uid: 'r_1', limit: 2, cursor: first.nextCursor ?? '' });
    expect(second.operations.map(({ operationId }) => operationId)).toEqual(['op_200', 'op_199']);
    expect((await history.prune(0)).map(({ operationId }) => operationId).toSorted()).toEqual([
      'op_000',
      'op_001',
      'op_002',
    ]);
    expect(await history.find('op_002')).toBeUndefined();
  });
});

function operationOf(number: number): Operation {
  return {
    operationId: `op_${String(number).padStart(3, '0')}`,
    operation: 'install',
    repoId: 'owner-app',
    uid: 'r_1',
    owner: 'ann',
    status: 'succeeded',
    phase: null,
    percent: 100,
    message: null,
    timeoutMs: 1,
    isolation: { driver: 'none' },
    network: { mode: 'shared' },
    queuedAt: number,
    finishedAt: number + 1,
  };
}
