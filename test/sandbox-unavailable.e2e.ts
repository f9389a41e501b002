import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { eventually } from './support/eventually.js';
import { packageJson, programs } from './support/fixtures.js';
import { GitServer } from './support/git-server.js';
import { itInMatrix } from './support/matrix.js';
import { describeAsRoot, withSubstitute } from './support/server-users.js';
import { Station, type StationOptions } from './support/station.js';
import { temporaryFolder } from './support/temporary-folder.mjs';

const START_MS = 120_000;

interface IsolationHealth {
  details: { isolation: Record<string, unknown> };
}

/** What bubblewrap says on a machine that forbids user namespaces. */
const BROKEN_BWRAP = '#!/bin/sh\necho "bwrap: Creating new namespace failed: Operation not permitted" >&2\nexit 1\n';
const BROKEN_SLIRP = '#!/bin/sh\necho "open(\\"/dev/net/tun\\"): Operation not permitted" >&2\nexit 1\n';

/** The programs of the machine are what they are: for one server alone another one lies above. */
describeAsRoot('a machine', () => {
  let git: GitServer;
  let folder: string;
  let station: Station | undefined;
  let docked = 0;

  beforeAll(async () => {
    git = await GitServer.start();
    folder = await temporaryFolder('programs');
    for (const [name, text] of Object.entries({ bwrap: BROKEN_BWRAP, slirp4netns: BROKEN_SLIRP })) {
      await writeFile(join(folder, name), text);
      await chmod(join(folder, name), 0o755);
    }
  });
  afterEach(async () => {
    await station?.close();
    station = undefined;
  });
  afterAll(async () => {
    await rm(folder, { recursive: true });
    await git.close();
  });

  async function startWithout(program: 'bwrap' | 'slirp4netns', options: StationOptions): Promise<Station> {
    const launcher = withSubstitute(`/usr/bin/${program}`, join(folder, program));
    station = await Station.start({ allowedHosts: [git.host], launcher, ...options });
    return station;
  }

  async function dock(server: Station): Promise<string> {
    const touch = 'touch CANARY';
    const files = {
      'package.json': packageJson({ install: touch, start: `${touch}; node listens.js` }),
      ...programs(),
    };
    const { url } = await git.createRepository(`owner/app-${++docked}`, { files });
    return (await server.clone(url)).body.repoId;
  }

  const isolationOf = async (server: Station) =>
    ((await server.api('GET', '/health')).body as unknown as IsolationHealth).details.isolation;

  async function expectNothingIsRun(server: Station, reason: RegExp): Promise<void> {
    const repoId = await dock(server);
    for (const operation of ['install', 'run'] as const) {
      const { status, body } = await server[operation](repoId);
      expect([status, body.code]).toEqual([503, 'SANDBOX_UNAVAILABLE']);
      expect(body.detail).toMatch(reason);
      expect(body.suggestion).toBeTruthy();
    }
    expect(existsSync(join(server.workspaceDir, repoId, 'CANARY'))).toBe(false);
    expect(await isolationOf(server)).toMatchObject({ status: 'down', refusal: expect.stringMatching(reason) });
    expect(server.output).toContain('nothing is installed or run');
  }

  describe('without a working bubblewrap', () => {
    it(
      'open to others runs nothing, and says why',
      async () => {
        const server = await startWithout('bwrap', { env: { HOST: '0.0.0.0' } });
        await expectNothingIsRun(server, /namespace failed: Operation not permitted/);
        expect((await server.entry('owner-app-1')).body.result).toMatchObject({
          state: 'cloned',
          isolation: { driver: 'none', reason: expect.stringContaining('Operation not permitted') },
        });
      },
      START_MS,
    );

    itInMatrix(
      'that must have one runs nothing, on loopback neither',
      async () => {
        const server = await startWithout('bwrap', { env: { SANDBOX: 'bubblewrap' } });
        await expectNothingIsRun(server, /SANDBOX=bubblewrap/);
      },
      START_MS,
    );

    it(
      'on loopback runs what it is told to, and says everywhere that nothing confines it',
      async () => {
        const server = await startWithout('bwrap', { env: { ALLOW_UNISOLATED: 'true' } });
        expect(server.output).toMatch(
          /Isolation: none .*Operation not permitted[^]*Warning: repositories run as your user/,
        );
        const report = {
          isolation: { driver: 'none', reason: expect.stringContaining('Operation not permitted') },
          network: { mode: 'shared', reason: expect.stringContaining('without a sandbox') },
        };
        const repoId = await dock(server);
        const install = await server.install(repoId);
        expect(install.body).toMatchObject({ success: true });
        expect((await server.run(repoId)).body.result).toMatchObject({ ready: true });
        expect(existsSync(join(server.workspaceDir, repoId, 'CANARY'))).toBe(true);
        expect((await server.entry(repoId)).body.result).toMatchObject(report);
        expect((await server.operation(install.body.operationId)).body.result).toMatchObject(report);
        expect(await isolationOf(server)).toMatchObject({ status: 'up', driver: 'none', network: { mode: 'shared' } });

        const { url } = await git.createRepository('owner/isolated', { files: { 'package.json': packageJson({}) } });
        const isolated = await server.clone(url, { isolated: true });
        expect([isolated.status, isolated.body.code]).toEqual([503, 'SANDBOX_UNAVAILABLE']);
      },
      START_MS,
    );
  });

  describe('whose programs break, and are mended', () => {
    const SLIRP = '/usr/bin/slirp4netns';
    const BWRAP = '/usr/bin/bwrap';
    const onItsMachine = (server: Station, ...command: string[]) =>
      execFileSync('nsenter', ['--target', String(server.pid), '--mount', ...command]);

    it(
      'says so while no sandbox can be made, for git neither, and has its apps back afterwards',
      async () => {
        const launcher = ['unshare', '--mount', '--propagation', 'private'];
        station = await Station.start({ allowedHosts: [git.host], launcher, env: { APP_RESTART_DELAY_MS: '100' } });
        const server = station;
        const repoId = await dock(server);
        await server.run(repoId);
        const running = () =>
          eventually(
            'it runs',
            async () => {
              const { app } = (await server.entry(repoId)).body.result;
              return app?.ready && app;
            },
            30_000,
          );
        await server.restart(); // what has come back once has lived
        const { pid } = await running();

        onItsMachine(server, 'mount', '--bind', join(folder, 'slirp4netns'), SLIRP);
        process.kill(Number(pid), 'SIGKILL');
        const degraded = await eventually('it is said', async () => {
          const isolation = await isolationOf(server);
          return isolation.degraded !== undefined && isolation;
        });
        expect(degraded).toMatchObject({
          status: 'up',
          degraded: expect.stringMatching(/could not be made.*Operation not permitted.*slirp4netns/) as string,
        });

        // One that fails does not keep the app from coming back.
        expect((await server.run(repoId, { background: false })).body.code).toBe('SANDBOX_UNAVAILABLE');

        onItsMachine(server, 'umount', SLIRP);
        await running();
        expect(await isolationOf(server)).not.toHaveProperty('degraded');

        onItsMachine(server, 'mount', '--bind', join(folder, 'bwrap'), BWRAP);
        const { repoUrl } = (await server.entry(repoId)).body.result;
        const refused = [
          await server.status(repoId),
          await server.update(repoId),
          await server.clone(repoUrl, { repoId: 'again' }),
        ];
        expect(refused.map(({ status, body }) => [status, body.code, body.detail])).toEqual(
          refused.map(() => [503, 'SANDBOX_UNAVAILABLE', expect.stringMatching(/^bwrap: .*: no sandbox for git$/)]),
        );
        expect(await isolationOf(server)).toMatchObject({ degraded: expect.stringContaining('git') as string });
        onItsMachine(server, 'umount', BWRAP);
        expect((await server.update(repoId)).status).toBe(200);
        expect(await isolationOf(server)).not.toHaveProperty('degraded');
      },
      START_MS,
    );
  });

  describe('without a working slirp4netns', () => {
    itInMatrix(
      'that must have private networks runs nothing',
      async () => {
        const server = await startWithout('slirp4netns', { env: { NETWORK: 'private' } });
        await expectNothingIsRun(server, /NETWORK=private.*slirp4netns/);
      },
      START_MS,
    );

    it(
      'shares the network of the host, and says why',
      async () => {
        const server = await startWithout('slirp4netns', { env: { HOST: '0.0.0.0' } });
        const network = { mode: 'shared', reason: expect.stringContaining('slirp4netns') };
        expect(server.output).toMatch(/Isolation: bubblewrap, network shared \(.*slirp4netns/);
        expect(await isolationOf(server)).toMatchObject({ status: 'up', driver: 'bubblewrap', network });
        const repoId = await dock(server);
        const run = await server.run(repoId);
        expect(run.body.result).toMatchObject({ ready: true });
        expect(run.body.result.appPort).toBe(run.body.result.port);
        const report = { isolation: { driver: 'bubblewrap' }, network };
        expect((await server.entry(repoId)).body.result).toMatchObject(report);
        expect((await server.operation(run.body.operationId)).body.result).toMatchObject(report);
      },
      START_MS,
    );
  });
});

describe('what a caller asks for', () => {
  let git: GitServer;
  let station: Station;

  beforeAll(async () => {
    git = await GitServer.start();
    station = await Station.start({ allowedHosts: [git.host], env: { ALLOW_UNISOLATED: 'true' } });
  }, START_MS);
  afterAll(async () => {
    await station.close();
    await git.close();
  });

  it('is given to an administrator: no isolation where it is allowed, and that is told', async () => {
    const { url } = await git.createRepository('owner/app', { files: { 'package.json': packageJson({ a: 'id -u' }) } });
    const { repoId, result } = (await station.clone(url, { isolated: false })).body;
    expect(result).toMatchObject({ isolation: { driver: 'none', reason: 'an administrator has asked for it' } });
    const run = await station.run(repoId, { script: 'a', background: false });
    expect(run.body.result.output).toBe(`${process.getuid?.()}\n`);
    expect((await station.operation(run.body.operationId)).body.result).toMatchObject({
      isolation: { driver: 'none' },
      network: { mode: 'shared' },
    });
  });

  it('is refused to everybody else', async () => {
    const { url } = await git.createRepository('owner/other', { files: { 'package.json': packageJson({}) } });
    const key = await station.createKey('alice');
    const refused = await station.clone(url, { isolated: false }, { key });
    expect([refused.status, refused.body.code]).toEqual([403, 'FORBIDDEN']);
    expect((await station.clone(url, { isolated: true }, { key })).body.result).toMatchObject({
      isolation: { driver: 'bubblewrap' },
    });
  });
});
