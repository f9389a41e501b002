import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DockedRepository, failureOf, wholeTree } from '../../../../test/support/docked-repository.js';
import { Failure } from '../../../contracts/failure.js';
import { settle } from './settle.js';

let docked: DockedRepository;

beforeAll(async () => {
  docked = await DockedRepository.start();
});
afterAll(() => docked.close());
beforeEach(() =>
  docked.reset({ 'a.txt': 'a1', 'b.txt': 'b1', 'package.json': '{}', '.gitignore': '.env.local\nnode_modules\n' }),
);

describe('local changes', () => {
  const saved = (ref: string | undefined, path: string) => docked.git('show', `${ref}:${path}`);

  it('give way to upstream, and are kept under a ref; what is ignored or untracked stays where it is', async () => {
    await docked.dock();
    docked.station.write({
      'a.txt': 'mine',
      'data/new.txt': 'mine too',
      'own.txt': 'own',
      '.env.local': 'secret',
      'node_modules/x/index.js': 'x',
    });
    rmSync(docked.path('b.txt'));
    const to = await docked.upstream.commit({
      'a.txt': 'a2',
      'data/new.txt': 'theirs',
      'node_modules/x/index.js': 'committed',
    });

    const { savedRef } = await docked.update();

    expect(savedRef).toMatch(/^refs\/docking-station\/saved\/\d{4}-/);
    expect(docked.git('rev-parse', 'HEAD')).toBe(to);
    expect(docked.git('status', '--porcelain')).toBe('?? own.txt');
    expect(
      ['a.txt', 'b.txt', 'data/new.txt', 'own.txt', '.env.local'].map((name) => docked.station.read(name)),
    ).toEqual(['a2', 'b1', 'theirs', 'own', 'secret']);
    expect([saved(savedRef, 'a.txt'), saved(savedRef, 'data/new.txt')]).toEqual(['mine', 'mine too']);
    expect(docked.git('ls-tree', '-r', '--name-only', savedRef ?? '').split('\n')).toEqual([
      '.gitignore',
      'a.txt',
      'data/new.txt',
      'package.json',
    ]);
    expect(docked.git('rev-parse', `${savedRef}^`)).toBe(docked.cloned.commit);
    expect((await docked.update()).savedRef).toBeUndefined();
  });

  it('are saved also where a file has become a folder, and a folder a file, and come back when it is undone', async () => {
    await docked.reset({ 'a.txt': 'a1', 'folder/deep/f.txt': 'f1', 'package.json': '{}' });
    await docked.dock();
    const change = () => {
      for (const name of ['a.txt', 'folder']) rmSync(docked.path(name), { recursive: true });
      docked.station.write({ 'a.txt/in/it.txt': 'mine', folder: 'mine too' });
    };
    change();
    const to = await docked.upstream.commit({ 'b.txt': 'b2' });
    const { savedRef } = await docked.update();
    expect(docked.tree()).toEqual(wholeTree(to));
    expect([saved(savedRef, 'a.txt/in/it.txt'), saved(savedRef, 'folder')]).toEqual(['mine', 'mine too']);
    change();
    await docked.upstream.commit({ 'b.txt': 'b3' });
    await docked.move();
    expect(docked.read('a.txt', 'folder/deep/f.txt')).toEqual(['a1', 'f1']);
    await settle({ accepted: false }, docked.station.next());
    expect(docked.read('a.txt/in/it.txt', 'folder')).toEqual(['mine', 'mine too']);
  });

  it('are saved beside a file that has become a pipe, which gives way', async () => {
    await docked.dock();
    docked.station.write({ 'a.txt': 'mine' });
    rmSync(docked.path('b.txt'));
    execFileSync('mkfifo', [docked.path('b.txt')]);
    const to = await docked.upstream.commit({ 'a.txt': 'a2' });
    const { savedRef } = await docked.update();
    expect(saved(savedRef, 'a.txt')).toBe('mine');
    expect(docked.read('a.txt', 'b.txt')).toEqual(['a2', 'b1']);
    expect(docked.tree()).toEqual(wholeTree(to));
  });

  it('are saved also where nothing is new upstream', async () => {
    const { commit } = await docked.dock();
    docked.station.write({ 'a.txt': 'mine' });
    const { savedRef, from, to } = await docked.update();
    expect([from, to, saved(savedRef, 'a.txt')]).toEqual([commit, commit, 'mine']);
    expect(docked.tree()).toEqual(wholeTree(commit));
  });

  it('are saved where files and folders take the place of each other', async () => {
    await docked.upstream.commit({ 'folder/inside.txt': 'tracked' });
    await docked.dock();
    docked.station.write({ 'folder/mine.txt': 'in a folder', file: 'in its place', 'strange [*] name': 'odd' });
    symlinkSync('/etc/hostname', docked.path('link'));
    await docked.upstream.commit(
      { folder: 'a file now', 'file/below.txt': 'below', 'link/below.txt': 'below', 'strange [*] name': 'theirs' },
      { remove: ['folder/inside.txt'] },
    );
    const { savedRef, to } = await docked.update();
    expect(docked.tree()).toEqual(wholeTree(to));
    expect([saved(savedRef, 'folder/mine.txt'), saved(savedRef, 'file')]).toEqual(['in a folder', 'in its place']);
    expect([saved(savedRef, 'link'), saved(savedRef, 'strange [*] name')]).toEqual(['/etc/hostname', 'odd']);
    expect([docked.station.read('folder'), docked.station.read('link/below.txt')]).toEqual(['a file now', 'below']);
  });

  it('are saved where a tracked folder was replaced by a link, which is not followed', async () => {
    await docked.upstream.commit({ 'dir/x.txt': 'x1' });
    await docked.dock();
    const outside = join(dirname(docked.workspace), 'outside');
    mkdirSync(outside);
    writeFileSync(join(outside, 'x.txt'), 'not yours');
    rmSync(docked.path('dir'), { recursive: true });
    symlinkSync(outside, docked.path('dir'));
    const to = await docked.upstream.commit({ 'dir/x.txt': 'x2', 'dir/y.txt': 'y' });
    const { savedRef } = await docked.update();
    expect(docked.tree()).toEqual(wholeTree(to));
    expect(saved(savedRef, 'dir')).toBe(outside);
    expect(readdirSync(outside)).toEqual(['x.txt']);
    expect(readFileSync(join(outside, 'x.txt'), 'utf8')).toBe('not yours');
  });

  it('are saved where git was told not to look at them', async () => {
    await docked.dock();
    docked.git('update-index', '--assume-unchanged', 'a.txt');
    docked.git('update-index', '--skip-worktree', 'b.txt');
    docked.station.write({ 'a.txt': 'mine', 'b.txt': 'mine too' });
    const to = await docked.upstream.commit({ 'a.txt': 'a2' });
    const { savedRef } = await docked.update();
    expect(docked.tree()).toEqual(wholeTree(to));
    expect([saved(savedRef, 'a.txt'), saved(savedRef, 'b.txt')]).toEqual(['mine', 'mine too']);
    expect(docked.station.read('b.txt')).toBe('b1');
  });

  it('that were committed are kept too, with what was changed since', async () => {
    await docked.dock();
    docked.station.write({ 'a.txt': 'committed here' });
    docked.git('-c', 'user.name=me', '-c', 'user.email=me@example.com', 'commit', '--quiet', '--all', '--message=mine');
    const own = docked.git('rev-parse', 'HEAD');
    const to = await docked.upstream.commit({ 'b.txt': 'b2' });
    const { savedRef, from } = await docked.update();
    expect(docked.tree()).toEqual(wholeTree(to));
    expect([from, docked.git('rev-parse', `${savedRef}^`), docked.station.read('a.txt')]).toEqual([own, own, 'a1']);
  });

  it('are no reason to fail in the middle of a merge that somebody has begun', async () => {
    await docked.dock({ depth: 0 });
    const identity = ['-c', 'user.name=me', '-c', 'user.email=me@example.com'];
    docked.git('checkout', '--quiet', '-b', 'wip');
    docked.station.write({ 'a.txt': 'wip' });
    docked.git(...identity, 'commit', '--quiet', '--all', '--message=wip');
    docked.git('checkout', '--quiet', 'main');
    docked.station.write({ 'a.txt': 'main' });
    docked.git(...identity, 'commit', '--quiet', '--all', '--message=main');
    expect(() => docked.git(...identity, 'merge', 'wip')).toThrow('merge');
    const to = await docked.upstream.commit({ 'b.txt': 'b2' });
    const { savedRef } = await docked.update();
    expect(docked.tree()).toEqual(wholeTree(to));
    expect(saved(savedRef, 'a.txt')).toContain('<<<<<<<');
  });
});

describe('what a crash or a cancel leaves', () => {
  it('is cleared away: stale locks and a damaged index', async () => {
    await docked.dock();
    for (const lock of ['index.lock', 'HEAD.lock', 'config.lock', 'shallow.lock', 'refs/heads/main.lock']) {
      writeFileSync(docked.path(`.git/${lock}`), '');
    }
    writeFileSync(docked.path('.git/index'), 'damaged');
    docked.station.write({ 'b.txt': 'mine' });
    const to = await docked.upstream.commit({ 'a.txt': 'a2' });
    expect((await docked.update()).savedRef).toBeDefined();
    expect(docked.tree()).toEqual(wholeTree(to));
  });

  it('is the tree as it was, when it is cancelled while the new commits come', async () => {
    const { commit } = await docked.dock();
    docked.station.write({ 'a.txt': 'mine' });
    await docked.upstream.commit({ 'a.txt': 'a2' });
    const stall = docked.server.stall(`${new URL(docked.upstream.url).pathname.slice(0, -4)}/git-upload-pack`);
    const work = failureOf(docked.update());
    await stall.reached;
    docked.station.cancellation.abort(new Failure('CANCELLED', 'cancelled'));
    expect((await work).code).toBe('CANCELLED');
    stall.release();
    expect([docked.git('rev-parse', 'HEAD'), docked.station.read('a.txt')]).toEqual([commit, 'mine']);
    expect(docked.station.liveProcesses()).toBe(0);
  });

  it('is the tree as it was, local changes included, when it is cancelled while submodules are fetched', async () => {
    const { commit } = await docked.dock();
    const lib = await docked.createRepository('slow');
    docked.station.write({ 'a.txt': 'mine', 'own.txt': 'own' });
    await docked.upstream.commit({
      'a.txt': 'a2',
      'own.txt': 'theirs',
      '.gitmodules': `[submodule "lib"]\n\tpath = lib\n\turl = ${lib.url}\n`,
      lib: { submodule: await lib.commitOf('main') },
    });
    const stall = docked.server.stall(`${new URL(lib.url).pathname.slice(0, -4)}/`);
    const work = failureOf(docked.update());
    await stall.reached;
    expect(docked.station.read('a.txt')).toBe('a2');
    docked.station.cancellation.abort(new Failure('CANCELLED', 'cancelled'));
    expect((await work).code).toBe('CANCELLED');
    stall.release();
    expect([docked.git('rev-parse', 'HEAD'), docked.git('symbolic-ref', 'HEAD')]).toEqual([commit, 'refs/heads/main']);
    expect([docked.station.read('a.txt'), docked.station.read('own.txt')]).toEqual(['mine', 'own']);
    expect(docked.git('status', '--porcelain')).toBe(' M a.txt\n?? own.txt');
    expect(existsSync(docked.path('lib/.git'))).toBe(false);
  });

  it('is the tree as it was, when it fails after files were written', async () => {
    const { commit } = await docked.dock();
    docked.station.write({ 'a.txt': 'mine' });
    await docked.upstream.commit({ 'a.txt': 'a2', 'z.txt': 'z' });
    // The files are written by the time that the branch cannot be.
    docked.git('checkout', '--quiet', '--detach');
    rmSync(docked.path('.git/refs/heads'), { recursive: true });
    writeFileSync(docked.path('.git/refs/heads'), '');
    expect((await failureOf(docked.update())).code).toBe('GIT_FAILED');
    expect([docked.station.read('a.txt'), existsSync(docked.path('z.txt'))]).toEqual(['mine', false]);
    expect(docked.git('rev-parse', 'HEAD')).toBe(commit);
  });
});
