import { execFileSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DockedRepository } from '../../../../test/support/docked-repository.js';
import type { GitRepository } from '../../../../test/support/git-repository.js';

let docked: DockedRepository;

beforeAll(async () => {
  docked = await DockedRepository.start();
});
afterAll(() => docked.close());
beforeEach(() =>
  docked.reset({ 'a.txt': 'a1', 'b.txt': 'b1', 'package.json': '{}', '.gitignore': '.env.local\nnode_modules\n' }),
);

describe('submodules', () => {
  const gitmodules = (url: string, path = 'lib') => `[submodule "lib"]\n\tpath = ${path}\n\turl = ${url}\n`;
  let lib: GitRepository;

  beforeEach(async () => {
    lib = await docked.createRepository('lib', { 'lib.txt': 'lib1' });
    await docked.upstream.commit({
      '.gitmodules': gitmodules(lib.url),
      lib: { submodule: await lib.commitOf('main') },
    });
  });

  it('move with the tree, and what is untracked in them stays', async () => {
    await docked.dock();
    expect(docked.station.read('lib/lib.txt')).toBe('lib1');
    docked.station.write({ 'lib/own.txt': 'own' });
    const commit = await lib.commit({ 'lib.txt': 'lib2' });
    await docked.upstream.commit({ lib: { submodule: commit } });
    expect((await docked.update()).warnings).toEqual([]);
    expect([docked.station.read('lib/lib.txt'), docked.station.read('lib/own.txt')]).toEqual(['lib2', 'own']);
  });

  it('are fetched from where .gitmodules says now', async () => {
    await docked.dock();
    const moved = await docked.createRepository('moved', { 'lib.txt': 'moved' });
    await docked.upstream.commit({
      '.gitmodules': gitmodules(moved.url),
      lib: { submodule: await moved.commitOf('main') },
    });
    expect((await docked.update()).warnings).toEqual([]);
    expect(docked.station.read('lib/lib.txt')).toBe('moved');
  });

  it('come, go, and give way to files', async () => {
    await docked.dock();
    await docked.upstream.commit({ '.gitmodules': gitmodules(lib.url, 'vendor/lib') }, { remove: ['lib'] });
    await docked.upstream.commit({ 'vendor/lib': { submodule: await lib.commitOf('main') }, 'lib/lib.txt': 'a file' });
    const { warnings } = await docked.update();
    expect(warnings).toEqual([]);
    expect([docked.station.read('lib/lib.txt'), docked.station.read('vendor/lib/lib.txt')]).toEqual(['a file', 'lib1']);
    expect(existsSync(docked.path('lib/.git'))).toBe(false);
  });

  it('are warned about where their URL is not allowed', async () => {
    await docked.dock();
    await docked.upstream.commit({ '.gitmodules': gitmodules('file:///etc') });
    const { to, warnings } = await docked.update();
    expect(docked.git('rev-parse', 'HEAD')).toBe(to);
    expect(warnings).toEqual([expect.stringMatching(/^submodules: lib was not fetched/)]);
  });

  it('run nothing by a configuration that was planted in them, and do not lead elsewhere', async () => {
    await docked.dock();
    const canary = join(dirname(docked.workspace), 'canary');
    const program = `touch ${canary}; cat`;
    const planted = `[core]\n\tfsmonitor = ${program}\n\tsshCommand = ${program}\n[filter "x"]\n\tsmudge = ${program}\n\tclean = ${program}\n`;
    appendFileSync(docked.path('.git/modules/lib/config'), planted);
    mkdirSync(docked.path('.git/modules/lib/info'), { recursive: true });
    writeFileSync(docked.path('.git/modules/lib/info/attributes'), '* filter=x\n');
    execFileSync('cp', ['-r', docked.path('.git/modules/lib'), docked.path('.git/evil')]);
    docked.station.write({ 'lib/.git': 'gitdir: ../.git/evil\n', 'lib/lib.txt': 'changed here' });
    rmSync(docked.path('lib/lib.txt'));
    const commit = await lib.commit({ 'lib.txt': 'lib2', 'more.txt': 'more' });
    await docked.upstream.commit({ lib: { submodule: commit } });
    await docked.update();
    expect(existsSync(canary)).toBe(false);
    expect(docked.station.read('lib/.git')).toBe('gitdir: ../.git/modules/lib\n');
    expect(docked.station.read('lib/more.txt')).toBe('more');
  });
});
