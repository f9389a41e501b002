import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { networkInterfaces } from 'node:os';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { fixture } from './support/fixtures.js';
import type { GitRepository } from './support/git-repository.js';
import { GitServer } from './support/git-server.js';
import { asUser, SERVER_USERS } from './support/server-users.js';
import { Station } from './support/station.js';
import type { Reply } from './support/station-client.js';
import { temporaryFolder } from './support/temporary-folder.mjs';
import { stagedOf } from './support/traces.js';

const SECRETS = {
  environment: 'S3CR3T-of-the-environment',
  neighbour: 'S3CR3T-of-another-repository',
  npmrc: 'S3CR3T-of-the-npmrc',
  gitconfig: 'S3CR3T-of-the-gitconfig',
};

/** What the program reports. */
const ATTEMPTS = [
  'reads files of another repository',
  'writes into another repository',
  'reads files of the server',
  'finds the environment of the server',
  'reaches the host',
  'reaches the metadata service',
  'signals the server',
  'writes to the system',
  'gets out by links',
  'gets out by what the server has open',
  'reads the settings of the user of the server',
  'reads the memory of the server',
  'traces the server',
  'talks to sockets of the host',
  'makes a user namespace',
  'is root, or may become it',
];
/** The name of the file that it tries to write everywhere. */
const WRITTEN = 'written-by-a-repository';
const OWN_FOLDERS = ['.homes', '.manifests', '.staging'];

/** Of this machine: nothing that a repository does may ever arrive here. */
class Outside {
  hits = 0;

  private constructor(
    readonly folder: string,
    private readonly servers: (Server | Socket)[],
    readonly port: number,
  ) {}

  static async prepare(): Promise<Outside> {
    const folder = await temporaryFolder('outside');
    chmodSync(folder, 0o755);
    for (const [name, mode] of [
      ['open', 0o777],
      ['home', 0o755],
    ] as const) {
      mkdirSync(join(folder, name));
      chmodSync(join(folder, name), mode);
    }
    writeFileSync(join(folder, 'open', 'kept.txt'), 'kept');
    writeFileSync(join(folder, 'home', '.npmrc'), `//registry.example/:_authToken=${SECRETS.npmrc}\n`);
    writeFileSync(join(folder, 'home', '.gitconfig'), `[user]\n\tname = ${SECRETS.gitconfig}\n`);
    const tcp = createServer((socket) => socket.destroy()).listen(0, '::');
    await once(tcp, 'listening');
    const { port } = tcp.address() as AddressInfo;
    const local = createServer((socket) => socket.destroy()).listen(join(folder, 'open', 'socket'));
    await once(local, 'listening');
    chmodSync(join(folder, 'open', 'socket'), 0o777);
    const udp = createSocket('udp6').bind(port);
    await once(udp, 'listening');
    const outside = new Outside(folder, [tcp, local, udp], port);
    const count = () => (outside.hits += 1);
    tcp.on('connection', count);
    local.on('connection', count);
    udp.on('message', count);
    return outside;
  }

  /** What lies where everybody may write. */
  get openFolder(): string {
    return join(this.folder, 'open');
  }

  async close(): Promise<void> {
    for (const server of this.servers) {
      server.close();
      await once(server, 'close');
    }
    rmSync(this.folder, { recursive: true });
  }
}

type Report = Record<string, string[]>;

const READY_MS = 180_000;

/** As a service manager or a shell may start it: with something open that is not its own. */
const WITH_AN_OPEN_FOLDER = ['/bin/sh', '-c', 'exec 9</; exec "$@"', 'sh'];

describe.each(SERVER_USERS)('on a server of $name', (user) => {
  let git: GitServer;
  let outside: Outside;
  let station: Station;
  let upstream: GitRepository;
  let neighbour: string;
  let serverPid: number | undefined;
  let serverFiles: string[];
  const reports: Record<string, Report> = {};
  /** All that the station has answered about the repository that tries to escape. */
  let answers = '';
  const repoId = 'eve-app';

  function targets() {
    const { dataDir, workspaceDir, pid } = station;
    const own = Object.values(networkInterfaces()).flatMap((list = []) => list.map(({ address }) => address));
    const hosts = [...own, '127.0.0.2', '::ffff:127.0.0.1', '10.0.2.1', '10.0.2.2', '10.0.2.3', '10.0.2.4'];
    return {
      neighbour: [neighbour],
      server: serverFiles,
      serverFolder: dataDir,
      secret: SECRETS.environment,
      pid,
      signal: 'SIGKILL' as NodeJS.Signals | 0,
      listeners: [...new Set(hosts)].flatMap((host) => [outside.port, station.port].map((port) => ({ host, port }))),
      metadata: ['169.254.169.254', 'fd00:ec2::254'].map((host) => ({ host, port: 80 })),
      sockets: ['/var/run/docker.sock', '/run/docker.sock', join(outside.openFolder, 'socket')],
      settings: ['.npmrc', '.gitconfig'].map((name) => join(outside.folder, 'home', name)),
      outside: [outside.openFolder, '/', '/usr', '/etc', '/run', '/var', '/dev', '/sys', '/opt', '/home'],
      victim: outside.openFolder,
      workspaceDir,
    };
  }

  /** What the program has reported in this log. */
  async function hear(name: string, source: string): Promise<void> {
    const { body } = await station.api<{ lines: { text: string }[] }>(
      'GET',
      `/repo/${repoId}/logs?source=${source}&tail=1000`,
    );
    answers += JSON.stringify(body);
    const line = body.result.lines.map(({ text }) => text).findLast((text) => text.startsWith('report: '));
    reports[name] = JSON.parse(String(line?.slice('report: '.length))) as Report;
  }

  async function succeed(answer: Promise<Reply>): Promise<void> {
    const { body } = await answer;
    answers += JSON.stringify(body);
    expect(body).toMatchObject({ success: true });
  }

  /** Each plants what the next one would fall for. */
  beforeAll(async () => {
    git = await GitServer.start();
    outside = await Outside.prepare();
    station = await Station.start({
      allowedHosts: [git.host],
      launcher: [...WITH_AN_OPEN_FOLDER, ...asUser(user)],
      uid: user.uid,
      env: { HOME: join(outside.folder, 'home'), STATION_SECRET: SECRETS.environment },
    });
    serverPid = station.pid;
    const other = await git.createRepository('bob/app', { files: { 'neighbour.txt': SECRETS.neighbour } });
    neighbour = join(station.workspaceDir, (await station.clone(other.url)).body.repoId, 'neighbour.txt');
    serverFiles = ['secrets-key', 'station-id', 'station.db'].map((name) => join(station.dataDir, name));
    upstream = await git.createRepository('eve/app', {
      files: { ...fixture('tries-to-escape'), 'targets.json': JSON.stringify(targets()) },
    });
    await succeed(station.clone(upstream.url));
    await succeed(station.install(repoId));
    await hear('an install script', 'install');
    await succeed(station.run(repoId));
    await hear('an app', 'app');
    await succeed(station.status(repoId));
    await upstream.commit({ 'next.txt': 'next' });
    await succeed(station.update(repoId));
    await succeed(station.install(repoId));
    await hear('an install script, with what the app has prepared', 'install');
  }, READY_MS);

  afterAll(async () => {
    await station?.close();
    await outside?.close();
    await git?.close();
  });

  describe.each(['an install script', 'an app', 'an install script, with what the app has prepared'])('%s', (name) => {
    it.each(ATTEMPTS)('never %s', (attempt) => {
      expect(reports[name]?.[attempt]).toEqual([]);
    });
  });

  it('nothing of a secret is in any answer or log', () => {
    const keys = ['secrets-key', 'station-id'].map((name) => readFileSync(join(station.dataDir, name), 'utf8').trim());
    const found = [...Object.values(SECRETS), ...keys, station.adminKey].filter((secret) => answers.includes(secret));
    expect(found).toEqual([]);
  });

  it('nothing has reached a port or a socket of the machine', () => {
    expect(outside.hits).toBe(0);
  });

  it('nothing is changed outside of the repository', () => {
    expect(readdirSync(outside.openFolder)).toEqual(['kept.txt', 'socket']);
    expect(readdirSync(dirname(neighbour)).toSorted()).toEqual(['.git', '.mcp-isolation.json', 'neighbour.txt']);
    expect(readdirSync(station.workspaceDir).toSorted()).toEqual([...OWN_FOLDERS, 'bob-app', repoId]);
    expect(['/', '/usr', '/etc', '/run', '/var'].filter((folder) => existsSync(join(folder, WRITTEN)))).toEqual([]);
  });

  it('nothing that was planted for git has run, or is seen by git', () => {
    const workspace = join(station.workspaceDir, repoId);
    expect(existsSync(join(workspace, 'next.txt'))).toBe(true);
    expect(existsSync(join(workspace, 'FIRED'))).toBe(false);
    expect(readFileSync(join(workspace, '.git', 'config'), 'utf8')).not.toContain('fires.sh');
    expect(readdirSync(join(workspace, '.git', 'hooks')).filter((hook) => !hook.endsWith('.sample'))).toEqual([]);
  });

  it('the server lives on', async () => {
    expect(station.pid).toBe(serverPid);
    expect(await station.entry(repoId)).toMatchObject({ status: 200, body: { result: { state: 'running' } } });
  });

  it('an unload leaves what its links have led to', async () => {
    await succeed(station.unload(repoId));
    expect(readFileSync(join(outside.openFolder, 'kept.txt'), 'utf8')).toBe('kept');
    expect(serverFiles.every((file) => existsSync(file))).toBe(true);
    expect(stagedOf(station)).toEqual([]);
  });

  it.each([
    ['another repository', () => neighbour],
    ['a file of the server', () => join(station.dataDir, 'secrets-key')],
  ])(
    'a package.json that is a link to %s is no package.json',
    async (name, target) => {
      const { url } = await git.createRepository(`eve/${name.replace(/\W/g, '-')}`, {
        files: { 'package.json': { link: target() }, 'README.md': { link: target() } },
      });
      const { body } = await station.clone(url);
      const install = await station.install(body.repoId);
      expect(install.body).toMatchObject({ code: 'BAD_PACKAGE_JSON' });
      const status = await station.status(body.repoId);
      const secrets = [SECRETS.neighbour, readFileSync(join(station.dataDir, 'secrets-key'), 'utf8').trim()];
      const said = JSON.stringify([body, install.body, status.body]);
      expect(secrets.filter((secret) => said.includes(secret))).toEqual([]);
      await succeed(station.unload(body.repoId));
      expect(existsSync(target())).toBe(true);
    },
    READY_MS,
  );

  it('all of it works where nothing confines it, and so has been tried', async () => {
    const folder = mkdtempSync(join(outside.folder, 'unconfined-'));
    mkdirSync(join(folder, 'tmp'));
    // The metadata service is left alone: there is a way to it as there is one to this machine.
    const metadata = [{ host: '127.0.0.1', port: 1 }];
    const program = {
      ...fixture('tries-to-escape'),
      'targets.json': JSON.stringify({ ...targets(), signal: 0, metadata, outside: [outside.openFolder] }),
    };
    for (const [name, text] of Object.entries(program)) writeFileSync(join(folder, name), text);
    writeFileSync(join(folder, 'link'), '');
    const env = { HOME: folder, PATH: process.env.PATH };
    const [file, ...args] = [...WITH_AN_OPEN_FOLDER, 'node', 'escape.js', 'plant'];
    const run = () => execa(file, args, { cwd: folder, env, extendEnv: false });
    await run();
    const { stdout } = await run();
    const report = JSON.parse(String(/^report: (.*)$/m.exec(stdout)?.[1])) as Report;
    expect(ATTEMPTS.filter((attempt) => report[attempt]?.length === 0)).toEqual([]);
  });
});
