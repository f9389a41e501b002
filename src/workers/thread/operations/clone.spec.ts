import { existsSync, readdirSync, readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { GitServer } from '../../../../test/support/git-server.js';
import { commandLine } from '../../../../test/support/processes.mjs';
import { TestThread } from '../../../../test/support/operation-thread.js';
import type { Failure } from '../../../contracts/failure.js';
import type { CloneInput, CloneOutput } from '../../../contracts/operations.js';
import { clone } from './clone.js';

const failureOf = (work: Promise<unknown>): Promise<Failure> =>
  work.then(
    () => Promise.reject(new Error('it did not fail')),
    (error: Failure) => error,
  );

describe('a clone', () => {
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

  const cloneOf = (repoUrl: string, input: Partial<CloneInput> = {}): Promise<CloneOutput> =>
    clone({ repoUrl, depth: 1, git: { allowedHosts: [server.host] }, ...input }, station.next());
  const nothingIsLeft = () => {
    expect(readdirSync(station.paths.workspace)).toEqual([]);
    expect(station.staged()).toEqual([]);
    expect(station.liveProcesses()).toBe(0);
  };
  const gitConfig = () => readFileSync(join(station.paths.workspace, '.git/config'), 'utf8');

  it('takes the default branch, whatever its name, and only as much history as was asked for', async () => {
    const repository = await server.createRepository('alice/trunk', {
      branch: 'trunk',
      files: { 'package.json': '{"dependencies":{"a":"1"}}' },
    });
    const commit = await repository.commit({ 'a.txt': 'a' });
    expect(await cloneOf(`${server.url}/alice/trunk`)).toEqual({
      repoUrl: `${server.url}/alice/trunk`,
      branch: 'trunk',
      refKind: 'branch',
      commit,
      declaresDependencies: true,
      warnings: [],
    });
    expect(station.read('a.txt')).toBe('a');
    expect(existsSync(join(station.paths.workspace, '.git/shallow'))).toBe(true);
    expect(station.read('.git/info/exclude')).toContain('.mcp-isolation.json');
    expect(station.progress[0]).toBe('connecting');
    expect(station.progress).toContain('receiving');
  });

  it('has the full history with depth 0', async () => {
    const repository = await server.createRepository('alice/history');
    await repository.commit({ a: '1' });
    await cloneOf(repository.url, { depth: 0 });
    expect(existsSync(join(station.paths.workspace, '.git/shallow'))).toBe(false);
  });

  it.each(['feature/foo', '#SIG-38', 'feat@1', 'release-1.0', 'größe'])('takes the branch %s', async (branch) => {
    const repository = await server.createRepository(`branches/${encodeURIComponent(branch).replaceAll('%', '_')}`);
    const commit = await repository.commit({ a: branch }, { branch });
    expect(await cloneOf(repository.url, { branch })).toMatchObject({ branch, refKind: 'branch', commit });
  });

  it.each([{ annotated: true }, { annotated: false }])('takes a tag (%p)', async ({ annotated }) => {
    const repository = await server.createRepository(`tags/annotated-${annotated}`);
    const commit = await repository.commitOf('main');
    await repository.tag('v1', { annotated });
    await repository.commit({ later: '' });
    expect(await cloneOf(repository.url, { branch: 'v1' })).toMatchObject({ branch: 'v1', refKind: 'tag', commit });
  });

  it('of a branch that does not exist names those that do, and leaves nothing', async () => {
    const repository = await server.createRepository('alice/only-trunk', { branch: 'trunk' });
    const failure = await failureOf(cloneOf(repository.url, { branch: 'main' }));
    expect(failure).toMatchObject({ code: 'GIT_BRANCH_NOT_FOUND', context: { branch: 'main', branches: ['trunk'] } });
    expect(failure.message).toContain('main');
    nothingIsLeft();
    await expect(cloneOf(repository.url)).resolves.toMatchObject({ branch: 'trunk' });
  });

  it('of a repository whose default branch does not exist says so', async () => {
    const repository = await server.createRepository('alice/no-default', { empty: true });
    await repository.commit({ a: '' }, { branch: 'other', orphan: true });
    const failure = await failureOf(cloneOf(repository.url));
    expect(failure).toMatchObject({ code: 'GIT_BRANCH_NOT_FOUND', context: { branches: ['other'] } });
    nothingIsLeft();
  });

  it.each([undefined, 'main'])(
    'of an empty repository (branch %s) leaves nothing, and works after its first commit',
    async (branch) => {
      const repository = await server.createRepository(`empty/${branch}`, { empty: true });
      expect(await failureOf(cloneOf(repository.url, { branch }))).toMatchObject({ code: 'EMPTY_REPOSITORY' });
      nothingIsLeft();
      await repository.commit({ a: 'a' });
      await expect(cloneOf(repository.url, { branch })).resolves.toMatchObject({ branch: 'main' });
    },
  );

  it('of a repository that is not there says so', async () => {
    expect(await failureOf(cloneOf(`${server.url}/no/such`))).toMatchObject({ code: 'GIT_REPOSITORY_NOT_FOUND' });
    nothingIsLeft();
  });

  it('of a host that does not answer says so', async () => {
    const closed = await GitServer.start();
    await closed.close();
    const git = { allowedHosts: ['127.0.0.1:1'] };
    expect(await failureOf(cloneOf('http://127.0.0.1:1/a/b', { git }))).toMatchObject({ code: 'GIT_UNREACHABLE' });
    nothingIsLeft();
  });

  describe('of a private repository', () => {
    const auth = { username: 'alice', password: 'S3CR3T/p@ss' };
    const credentials = { username: auth.username, token: auth.password };

    it('uses the credentials and leaves them nowhere', async () => {
      const repository = await server.createRepository('alice/private', { auth });
      const stall = server.stall('/alice/private/git-upload-pack');
      const cloning = cloneOf(repository.url, { git: { allowedHosts: [server.host], credentials } });
      await stall.reached;
      const commands = readdirSync('/proc')
        .filter((name) => /^\d+$/.test(name))
        .map(Number)
        .map(commandLine);
      stall.release();
      await cloning;
      expect(commands.filter((command) => command.includes('git-remote-http')).length).toBeGreaterThan(0);
      expect(commands.join('\n')).not.toMatch(/S3CR3T/);
      expect(gitConfig()).toContain('/alice/private');
      expect(JSON.stringify(station.log()) + gitConfig()).not.toMatch(/S3CR3T|alice:/);
      expect(readdirSync(join(station.paths.workspace, '..')).toSorted()).toEqual(['logs', 'staging', 'workspace']);
      expect(station.staged()).toEqual([]);
    });

    it.each([undefined, { token: 'S3CR3T' }, { privateKey: 'S3CR3T' }])('asks for others than %j', async (wrong) => {
      const repository = await server.createRepository('alice/refused', { auth });
      const failure = await failureOf(
        cloneOf(repository.url, { git: { allowedHosts: [server.host], credentials: wrong } }),
      );
      expect(failure.code).toBe('GIT_AUTH_REQUIRED');
      expect(JSON.stringify([failure.toData(), station.log()])).not.toContain('S3CR3T');
      nothingIsLeft();
    });

    it('does not show the credentials to a host that it is redirected to', async () => {
      const other = await GitServer.start();
      try {
        await server.createRepository('alice/moved', { auth });
        await other.createRepository('alice/moved');
        server.redirect('/alice/moved', `${other.url}/alice/moved`);
        const git = { allowedHosts: [server.host, other.host], credentials };
        expect((await cloneOf(`${server.url}/alice/moved`, { git })).repoUrl).toBe(`${other.url}/alice/moved`);
        expect(other.requests.filter(({ authorization }) => authorization !== undefined)).toEqual([]);
      } finally {
        await other.close();
      }
    });
  });

  it('follows a redirect on the same host, and says where to', async () => {
    const repository = await server.createRepository('alice/new-name');
    server.redirect('/alice/old-name', '/alice/new-name', 301);
    const output = await cloneOf(`${server.url}/alice/old-name`);
    expect(output.repoUrl).toBe(`${server.url}/alice/new-name`);
    expect(output.warnings).toEqual([
      `The Git host redirects ${server.url}/alice/old-name to ${server.url}/alice/new-name`,
    ]);
    expect(repository.url).toContain('new-name');
  });

  it('is not led to a host that is not allowed, nor round in circles', async () => {
    const internal = await GitServer.start();
    try {
      server.redirect('/alice/internal', `${internal.url}/alice/internal`);
      server.redirect('/alice/circle', '/alice/circle');
      expect((await failureOf(cloneOf(`${server.url}/alice/internal`))).code).toBe('GIT_HOST_NOT_ALLOWED');
      expect((await failureOf(cloneOf(`${server.url}/alice/circle`))).message).toContain('redirects');
      expect(internal.requests).toEqual([]);
    } finally {
      await internal.close();
    }
  });

  it('keeps nothing of the credentials that a redirect names', async () => {
    await server.createRepository('alice/named');
    server.redirect('/alice/names', `http://alice:S3CR3T@${server.host}/alice/named.git`);
    expect((await cloneOf(`${server.url}/alice/names`)).repoUrl).toBe(`${server.url}/alice/named`);
    expect(gitConfig()).toContain('/alice/named.git');
    expect(gitConfig() + JSON.stringify(station.log())).not.toMatch(/S3CR3T/);
  });

  it.each<[string, string, (request: IncomingMessage, response: ServerResponse) => void, string]>([
    [
      'a page',
      'GIT_REPOSITORY_NOT_FOUND',
      (_, response) => response.setHeader('content-type', 'text/html; charset=utf-8').end('<html>'),
      'text/html',
    ],
    ['an empty page', 'GIT_REPOSITORY_NOT_FOUND', (_, response) => response.end(), '200'],
    [
      'noise',
      'GIT_REPOSITORY_NOT_FOUND',
      (_, response) => response.setHeader('content-type', 'image/png').end('PNG'),
      'image/png',
    ],
    ['a refusal of its own', 'GIT_REPOSITORY_NOT_FOUND', (_, response) => response.writeHead(418).end(), '418'],
    [
      'a redirect to no address',
      'GIT_REPOSITORY_NOT_FOUND',
      (_, response) => response.writeHead(302, { location: 'http://[' }).end(),
      '302',
    ],
    [
      'a redirect to a file',
      'GIT_REPOSITORY_NOT_FOUND',
      (_, response) => response.writeHead(302, { location: 'file:///a/info/refs?service=git-upload-pack' }).end(),
      'file:',
    ],
    [
      'another protocol',
      'GIT_UNREACHABLE',
      ({ socket }) => socket.end('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n'),
      'protocol',
    ],
  ])('of a host that answers with %s says so: %s', async (what, code, answer, told) => {
    const path = `/odd/${what.replaceAll(' ', '-')}`;
    server.misbehave(path, answer);
    const failure = await failureOf(cloneOf(server.url + path));
    expect(failure.code).toBe(code);
    expect(failure.message).toContain(told);
    nothingIsLeft();
  });

  it('of a host that never stops talking is ended', async () => {
    const line = (text: string) => `${(text.length + 4).toString(16).padStart(4, '0')}${text}`;
    const commit = 'a'.repeat(40);
    const refs = [
      line(`${commit} HEAD\0side-band-64k symref=HEAD:refs/heads/main\n`),
      line(`${commit} refs/heads/main\n`),
    ];
    const talk = line(`\x02${`${'talk '.repeat(2_000)}\n`.repeat(6)}`);
    server.misbehave('/odd/talk/info', (_, response) => {
      response.setHeader('content-type', 'application/x-git-upload-pack-advertisement');
      response.end([line('# service=git-upload-pack\n'), '0000', ...refs, '0000'].join(''));
    });
    server.misbehave('/odd/talk/git-upload-pack', (_, response) => {
      response.setHeader('content-type', 'application/x-git-upload-pack-result').write(line('NAK\n'));
      const goOn = () => void (response.destroyed || response.write(talk, goOn));
      goOn();
    });
    const failure = await failureOf(cloneOf(`${server.url}/odd/talk`, { depth: 0 }));
    expect(failure).toMatchObject({ code: 'GIT_FAILED', message: 'The output is too long: git clone' });
    nothingIsLeft();
  });

  it.each(['info/refs', 'git-upload-pack'])(
    'ends at once when it is cancelled while the host stalls at %s',
    async (at) => {
      const name = `stalled/${at.replace('/', '-')}`;
      const repository = await server.createRepository(name);
      const stall = server.stall(`/${name}/${at}`);
      const cloning = failureOf(cloneOf(repository.url));
      await stall.reached;
      const reason = new Error('cancelled');
      const cancelledAt = Date.now();
      station.cancellation.abort(reason);
      expect(await cloning).toBe(reason);
      expect(Date.now() - cancelledAt).toBeLessThan(2_000);
      nothingIsLeft();
      stall.release();
    },
  );

  it('warns of a file that bears the name of the manifest, and of a package.json that cannot be read', async () => {
    const files = { '.mcp-isolation.json': '{}', 'package.json': { link: '/etc/passwd' } };
    const repository = await server.createRepository('alice/odd', { files });
    const { warnings, declaresDependencies } = await cloneOf(repository.url);
    expect(declaresDependencies).toBe(false);
    expect(warnings).toEqual([
      expect.stringContaining('.mcp-isolation.json'),
      'package.json is a link that leads out of the repository',
    ]);
    expect(station.read('.mcp-isolation.json')).toBe('{}');
  });

  it('leaves LFS pointers as they are, and says so', async () => {
    const lfs = await GitServer.start();
    const pointer = 'version https://git-lfs.github.com/spec/v1\noid sha256:abc\nsize 12345\n';
    const repository = await server.createRepository('alice/lfs', {
      files: {
        '.gitattributes': '*.bin filter=lfs diff=lfs merge=lfs -text\n',
        '.lfsconfig': `[lfs]\n\turl = ${lfs.url}\n`,
        'a.bin': pointer,
        'b.txt': 'b',
      },
    });
    try {
      const { warnings } = await cloneOf(repository.url);
      expect(warnings).toEqual(['lfs: 1 file is a pointer to content that was not fetched, such as a.bin']);
      expect(station.read('a.bin')).toBe(pointer);
      expect(lfs.requests).toEqual([]);
    } finally {
      await lfs.close();
    }
  });
});
