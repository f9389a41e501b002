import { existsSync } from 'node:fs';
import { join } from 'node:path';
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

  it('that cannot be found are warned about', async () => {
    const url = await superproject('sub/broken', { gone: '../gone.git' }, 'a'.repeat(40));
    expect((await cloneOf(url)).warnings).toEqual([expect.stringContaining('submodules: gone was not fetched')]);
  });
});
