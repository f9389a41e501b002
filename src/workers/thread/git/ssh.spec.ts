import { SshServer } from '../../../../test/support/ssh-server.js';
import { TestThread } from '../../../../test/support/operation-thread.js';
import type { GitRepository } from '../../../../test/support/git-repository.js';
import type { GitAccess } from '../../../contracts/operations.js';
import { clone } from '../operations/clone.js';

const describeWhereInstalled = SshServer.isInstalled ? describe : describe.skip;

describeWhereInstalled('a clone by ssh', () => {
  let server: SshServer;
  let repository: GitRepository;
  let station: TestThread;
  let access: GitAccess;

  beforeAll(async () => {
    server = await SshServer.start();
    repository = await server.createRepository('alice/app');
    access = { allowedHosts: [server.host], knownHosts: await server.knownHosts() };
  });
  afterAll(() => server.close());
  beforeEach(() => {
    station = new TestThread({});
  });
  afterEach(() => station.dispose());

  const cloneWith = (git: Partial<GitAccess>, repoUrl = repository.url) =>
    clone({ repoUrl, depth: 1, git: { ...access, ...git } }, station.next());

  it('uses the private key, also one that a form has given other line ends, and leaves it nowhere', async () => {
    const privateKey = (await server.allowedKey()).trim().replaceAll('\n', '\r\n');
    const { commit } = await cloneWith({ credentials: { privateKey } });
    expect(commit).toBe(await repository.commitOf('main'));
    expect(station.staged()).toEqual([]);
  });

  it('uses a key that has a passphrase', async () => {
    const passphrase = `it's "S3CR3T"`;
    const privateKey = await server.allowedKey(passphrase);
    await expect(cloneWith({ credentials: { privateKey, passphrase } })).resolves.toMatchObject({ branch: 'main' });
    await expect(cloneWith({ credentials: { privateKey, passphrase: 'wrong' } })).rejects.toMatchObject({
      code: 'GIT_AUTH_REQUIRED',
    });
  });

  it('asks for other credentials than none, a token, or what is no key', async () => {
    for (const credentials of [undefined, { token: 'S3CR3T' }, { privateKey: 'S3CR3T' }]) {
      await expect(cloneWith({ credentials })).rejects.toMatchObject({ code: 'GIT_AUTH_REQUIRED' });
    }
    expect(JSON.stringify(station.log())).not.toContain('S3CR3T');
  });

  it('does not trust a host whose key is not known, and asks nobody', async () => {
    const credentials = { privateKey: await server.allowedKey('other') };
    for (const knownHosts of [undefined, '/dev/null']) {
      await expect(cloneWith({ credentials, knownHosts })).rejects.toMatchObject({ code: 'GIT_HOST_KEY_UNKNOWN' });
    }
    expect(station.liveProcesses()).toBe(0);
  });

  it('says when there is no such repository', async () => {
    const credentials = { privateKey: await server.allowedKey('third'), passphrase: 'third' };
    await expect(cloneWith({ credentials }, `${repository.url}-not`)).rejects.toMatchObject({
      code: 'GIT_REPOSITORY_NOT_FOUND',
    });
  });
});
