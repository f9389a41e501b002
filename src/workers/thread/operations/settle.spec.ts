import {
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type { SettleInput } from '../../../contracts/operations.js';
import { DockedRepository, wholeTree } from '../../../../test/support/docked-repository.js';
import type { Files } from '../../../../test/support/operation-thread.js';
import { keepDependencies } from '../update/kept-dependencies.js';
import { settle } from './settle.js';

const FILES = {
  'a.txt': 'a1',
  'package.json': '{}',
  'packages/one/package.json': '{}',
  'packages/gone/package.json': '{}',
};

describe('an update that is settled', () => {
  let docked: DockedRepository;
  let to: string;
  beforeAll(async () => {
    docked = await DockedRepository.start();
  });
  afterAll(() => docked.close());

  /** Docked with these untracked files as well, and moved to a commit that has `b.txt` and no `packages/gone`. */
  async function updated(untracked: Files = {}, tracked: Record<string, string> = {}): Promise<void> {
    await docked.reset({ ...FILES, '.gitignore': 'node_modules\n.yarn\n*lock*\n', ...tracked });
    await docked.dock();
    docked.station.write(untracked);
    to = await docked.upstream.commit(
      { 'a.txt': 'a2', 'b.txt': 'b2', 'packages/new/package.json': '{}' },
      { remove: ['packages/gone/package.json'] },
    );
    await docked.move();
  }

  const end = (accepted: boolean, more: Partial<SettleInput> = {}) =>
    settle({ accepted, ...more }, docked.station.next());
  const install = async (files: Files) => {
    await keepDependencies(docked.station.next());
    docked.station.write(files);
  };
  const exists = (name: string) => existsSync(docked.path(name));
  const staged = () => docked.station.staged();

  it('and accepted leaves nothing of what was before', async () => {
    await updated({ 'node_modules/x/index.js': 'x1' });
    await install({ 'node_modules/x/index.js': 'x2' });
    expect(staged()).toEqual(['update']);
    expect(await end(true)).toEqual({ commit: null, dependencies: 'untouched', build: 'untouched' });
    expect(staged()).toEqual([]);
    expect(docked.read('node_modules/x/index.js', 'a.txt')).toEqual(['x2', 'a2']);
    expect(docked.tree()).toEqual(wholeTree(to));
  });

  it('and given up is as if it had never been, with its branch and its local changes', async () => {
    await updated({ 'a.txt': 'mine', 'b.txt': 'mine as well', 'c.txt': 'untracked' });
    const { commit, branch } = docked.cloned;
    expect(await end(false)).toMatchObject({ commit, dependencies: 'untouched' });
    expect(docked.read('a.txt', 'b.txt', 'c.txt')).toEqual(['mine', 'mine as well', 'untracked']);
    expect(docked.git('symbolic-ref', '--short', 'HEAD')).toBe(branch);
    expect(docked.git('rev-parse', 'HEAD')).toBe(commit);
    expect(docked.git('for-each-ref', 'refs/docking-station/saved')).not.toBe('');
    expect([staged(), exists('packages/new'), exists('packages/gone/package.json')]).toEqual([[], false, true]);
  });

  it('is put back as well when the server has died while it moved the tree, and once more after that', async () => {
    await updated();
    const { commit } = docked.cloned;
    // As git is cut off: files are written, the index and HEAD are not.
    docked.git('update-ref', 'HEAD', commit);
    docked.git('read-tree', commit);
    rmSync(docked.path('packages/new'), { recursive: true });
    writeFileSync(docked.path('.git/index.lock'), '');
    const journal = join(docked.station.paths.staging, 'update/journal.json');
    const text = readFileSync(journal, 'utf8');
    expect(await end(false)).toMatchObject({ commit, dependencies: 'untouched' });
    expect(docked.tree()).toEqual(wholeTree(commit));
    mkdirSync(dirname(journal), { recursive: true });
    writeFileSync(journal, text);
    expect((await end(false)).failure).toBeUndefined();
    expect(docked.tree()).toEqual(wholeTree(commit));
  });

  it('puts back what was installed, that of every member of a workspace, and removes what was not there', async () => {
    await updated({
      'node_modules/x/index.js': 'x1',
      'node_modules/x/node_modules/y/index.js': 'y1',
      'packages/one/node_modules/x/index.js': 'one x1',
      'packages/gone/node_modules/x/index.js': 'gone x1',
      '.yarn/cache/x.zip': 'zip1',
      'yarn.lock': 'lock1',
    });
    const { ino } = lstatSync(docked.path('node_modules/x/index.js'));
    await install({
      'node_modules/x/index.js': 'x2',
      'packages/one/node_modules/z/index.js': 'one z2',
      'packages/new/node_modules/x/index.js': 'new x2',
      '.yarn/cache/x.zip': 'zip2',
      'yarn.lock': 'lock2',
      'bun.lock': 'lock of another manager',
    });
    expect(await end(false)).toMatchObject({ dependencies: 'restored' });
    const names = ['node_modules/x', 'node_modules/x/node_modules/y', 'packages/one/node_modules/x'];
    const files = [...names, 'packages/gone/node_modules/x'].map((name) => `${name}/index.js`);
    expect(docked.read(...files)).toEqual(['x1', 'y1', 'one x1', 'gone x1']);
    expect(docked.read('.yarn/cache/x.zip', 'yarn.lock')).toEqual(['zip1', 'lock1']);
    expect(lstatSync(docked.path('node_modules/x/index.js')).ino).toBe(ino);
    expect(['packages/one/node_modules/z', 'packages/new', 'bun.lock'].filter(exists)).toEqual([]);
    expect(docked.tree()).toEqual(wholeTree(docked.cloned.commit));
  });

  it('puts back what was installed also where the repository tracks it', async () => {
    const tracked = { '.gitignore': '', 'node_modules/x/index.js': 'x1', '.yarn/cache/x.zip': 'zip1' };
    await updated({}, tracked);
    await install({ 'node_modules/x/index.js': 'x2', '.yarn/cache/y.zip': 'zip2' });
    expect(docked.read('.yarn/cache/x.zip')).toEqual(['zip1']); // an install from it needs no registry
    expect(await end(false)).toMatchObject({ dependencies: 'restored' });
    expect(docked.read('node_modules/x/index.js', '.yarn/cache/x.zip')).toEqual(['x1', 'zip1']);
  });

  it('removes what an install has filled the disk with, where that is asked for', async () => {
    await updated({ 'own.txt': 'own', 'data/old.txt': 'old' });
    const home = (name: string) => join(docked.station.paths.home, name);
    mkdirSync(home('.npm'), { recursive: true });
    await install({ 'node_modules/x/index.js': 'x2', 'huge/deep/file': '', 'huge.bin': '', 'data/new.txt': 'new' });
    for (const name of ['huge.bin', '.npm/kept']) writeFileSync(home(name), '');
    await settle({ accepted: false, removesNew: true }, docked.station.next());
    expect(['huge', 'huge.bin', 'node_modules', 'b.txt'].filter(exists)).toEqual([]);
    expect(docked.read('own.txt', 'data/old.txt', 'data/new.txt', 'a.txt')).toEqual(['own', 'old', 'new', 'a1']);
    expect(['huge.bin', '.npm/kept'].filter((name) => existsSync(home(name)))).toEqual(['.npm/kept']);
  });

  describe('where its install has more to it than dependencies,', () => {
    const builds = (script: string) => ({ 'package.json': JSON.stringify({ scripts: { prepare: script } }) });
    const ignored = { '.gitignore': 'node_modules\n.yarn\n*lock*\ndist\n' };
    const giveUp = () => settle({ accepted: false, rebuilds: true }, docked.station.next());

    it.each([
      ['wrote anew', () => docked.station.write({ 'dist/a.js': 'built from v2' })],
      ['made', () => docked.station.write({ 'dist/deep/new.js': 'built from v2' })],
      ['removed', () => rmSync(docked.path('dist'), { recursive: true })],
    ])('waits for the old version to be built again: what it %s', async (_, change) => {
      await updated(
        { 'node_modules/x/index.js': 'x1', 'dist/a.js': 'built from v1' },
        { ...builds('build'), ...ignored },
      );
      await install({ 'node_modules/x/index.js': 'x2' });
      change();
      expect(await giveUp()).toMatchObject({ dependencies: 'restored', build: 'lost' });
      await install({ 'node_modules/x/index.js': 'x3', 'dist/a.js': 'built from v1' });
      expect(await end(false)).toMatchObject({ commit: docked.cloned.commit, dependencies: 'restored' });
      expect(docked.read('node_modules/x/index.js', 'dist/a.js')).toEqual(['x1', 'built from v1']);
      expect(staged()).toEqual([]);
    });

    it('is over at once where nothing was built, or nothing builds', async () => {
      await updated({ 'node_modules/x/index.js': 'x1', 'dist/a.js': 'a' }, { ...builds('build'), ...ignored });
      await install({ 'node_modules/x/index.js': 'x2', 'packages/one/node_modules/x/index.js': 'x2', 'yarn.lock': '' });
      expect(await giveUp()).toMatchObject({ dependencies: 'restored', build: 'untouched' });
      await updated({ 'node_modules/x/index.js': 'x1' }, ignored);
      await install({ 'dist/a.js': 'a' });
      expect(await giveUp()).toMatchObject({ dependencies: 'restored', build: 'untouched' });
      expect(staged()).toEqual([]);
    });
  });

  it('takes and gives nothing through a link that leads out of the repository', async () => {
    await updated({ 'packages/one/node_modules/x/index.js': 'x1' });
    const outside = join(dirname(docked.workspace), 'outside');
    mkdirSync(join(outside, 'node_modules'), { recursive: true });
    writeFileSync(join(outside, 'node_modules/mine'), 'mine');
    symlinkSync(outside, docked.path('packages/link'));
    await install({});
    renameSync(docked.path('packages/one'), docked.path('packages/other'));
    symlinkSync(outside, docked.path('packages/one'));
    expect(await end(false)).toMatchObject({ commit: docked.cloned.commit, dependencies: 'restored' });
    expect(readFileSync(join(outside, 'node_modules/mine'), 'utf8')).toBe('mine');
    expect(docked.read('packages/one/node_modules/x/index.js')).toEqual(['x1']);
  });

  it('says what is amiss when the tree cannot be put back, and leaves nothing', async () => {
    await updated({});
    rmSync(docked.path('.git'), { recursive: true });
    expect(await end(false)).toMatchObject({ failure: { code: 'GIT_FAILED' }, commit: null });
    expect(staged()).toEqual([]);
  });

  it('is put back once it can, where another try may be made', async () => {
    await updated({ 'node_modules/x/index.js': 'x1' });
    await install({});
    renameSync(docked.path('.git'), docked.path('away'));
    expect(await end(false, { mayTryAgain: true })).toMatchObject({
      failure: { code: 'GIT_FAILED', message: 'There is no .git folder any more' },
      commit: null,
      dependencies: 'lost',
    });
    renameSync(docked.path('away'), docked.path('.git'));
    expect(await end(false)).toMatchObject({ commit: docked.cloned.commit, dependencies: 'restored' });
    expect(docked.read('node_modules/x/index.js')).toEqual(['x1']);
    expect(docked.tree()).toEqual(wholeTree(docked.cloned.commit));
  });
});
