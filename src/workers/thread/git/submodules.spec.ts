import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { GitServer } from '../../../../test/support/git-server.js';
import type { GitFile } from '../../../../test/support/git-repository.js';
import { TestThread } from '../../../../test/support/operation-thread.js';
import { clone } from '../operations/clone.js';

const gitmodules = (modules: Record<string, string>) =>
  Object.entries(modules)
    .map(([path, url]) => `[submodule "${path}"]\n\tpath = ${path}\n\turl = ${url}\n`)
    .join('');

describe('the submodules of a clone', () => {
  let server: GitServer;
  let station: TestThread;

  beforeAll(async () => {
    server = await GitServer.start();
  });
  afterAll(() => server.close());
  beforeEach(() => {
    station = new TestThread({});
  });
  afterEach(() => station.dispose());

  /** A repository whose submodules all stand at `commit`. */
  async function superproject(name: string, modules: Record<string, string>, commit: string): Promise<string> {
    const links = Object.keys(modules).map((path): [string, GitFile] => [path, { submodule: commit }]);
    const files = { '.gitmodules': gitmodules(modules), ...Object.fromEntries(links) };
    return (await server.createRepository(name, { files })).url;
  }

  const cloneOf = (repoUrl: string) =>
    clone({ repoUrl, depth: 1, git: { allowedHosts: [server.host] } }, station.next());

  it('are there, also relative ones, nested ones, and those that are behind the tip of their branch', async () => {
    const inner = await server.createRepository('sub/inner', { files: { 'inner.txt': 'inner' } });
    const lib = await server.createRepository('sub/lib', {
      files: {
        'lib.txt': 'lib',
        '.gitmodules': gitmodules({ inner: '../inner.git' }),
        inner: { submodule: await inner.commitOf('main') },
      },
    });
    const commit = await lib.commitOf('main');
    await lib.commit({ 'lib.txt': 'newer' });
    const url = await superproject('sub/app', { 'vendor/lib': '../lib.git', again: `${server.url}/sub/lib` }, commit);

    expect((await cloneOf(url)).warnings).toEqual([]);
    expect(station.read('vendor/lib/lib.txt')).toBe('lib');
    expect(station.read('vendor/lib/inner/inner.txt')).toBe('inner');
    expect(station.read('again/lib.txt')).toBe('lib');
  });

  it('are warned about, and never fetched, where their URLs are not allowed', async () => {
    const internal = await GitServer.start();
    try {
      const commit = await (await internal.createRepository('a/b')).commitOf('main');
      const modules = { file: 'file:///etc', internal: `${internal.url}/a/b`, ext: 'ext::sh -c touch% canary' };
      const { warnings } = await cloneOf(await superproject('sub/forbidden', modules, commit));
      expect(warnings).toEqual([
        expect.stringContaining('submodules: file was not fetched'),
        expect.stringContaining('submodules: internal was not fetched'),
        expect.stringContaining('submodules: ext was not fetched'),
      ]);
      expect(internal.requests).toEqual([]);
      expect(existsSync(join(station.paths.workspace, 'canary'))).toBe(false);
    } finally {
      await internal.close();
    }
  });

  it('are those of the commit, whatever else .gitmodules speaks of', async () => {
    const modules = Object.fromEntries(Array.from({ length: 2_000 }, (_, number) => [`none/${number}`, 'file:///x']));
    const { url } = await server.createRepository('sub/none', { files: { '.gitmodules': gitmodules(modules) } });
    expect((await cloneOf(url)).warnings).toEqual([]);
  });

  it('that cannot be had are told with few words, however many and however long', async () => {
    const long = (number: number) => `${'long/'.repeat(200)}${number}`;
    const modules = Object.fromEntries(Array.from({ length: 60 }, (_, number) => [long(number), 'file:///x']));
    const { warnings } = await cloneOf(await superproject('sub/many', modules, 'a'.repeat(40)));
    expect(warnings.at(-1)).toContain('10 more');
    expect(warnings.join().length).toBeLessThan(30_000);
  });

  it('are not looked for in a .gitmodules that is too large', async () => {
    const files = { '.gitmodules': `#${' '.repeat(1_000_000)}\n`, gone: { submodule: 'a'.repeat(40) } };
    const { url } = await server.createRepository('sub/large', { files });
    expect((await cloneOf(url)).warnings).toEqual([expect.stringContaining('too large')]);
  });

  it('leave no path of the station in the log of the clone', async () => {
    const lib = await server.createRepository('sub/told');
    const url = await superproject('sub/telling', { 'vendor/lib': '../told.git' }, await lib.commitOf('main'));
    await cloneOf(url);
    expect(JSON.stringify(station.log())).toContain('vendor/lib');
    expect(JSON.stringify(station.log())).not.toContain(dirname(station.paths.workspace));
  });

  it('that cannot be found are warned about', async () => {
    const url = await superproject('sub/broken', { gone: '../gone.git' }, 'a'.repeat(40));
    expect((await cloneOf(url)).warnings).toEqual([expect.stringContaining('submodules: gone was not fetched')]);
  });
});
