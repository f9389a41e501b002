import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { GitRepository } from './git-repository.js';
import { freePort } from './ports.js';
import { temporaryFolder } from './temporary-folder.mjs';

const SSHD = '/usr/sbin/sshd';

/** A real sshd on a port of 127.0.0.1, for the user who runs the tests, with keys and repositories of its own. */
export class SshServer {
  /** Whether this machine has one (Debian: openssh-server). */
  static readonly isInstalled = existsSync(SSHD);

  private constructor(
    private readonly root: string,
    private readonly port: number,
    private readonly sshd: ChildProcess,
  ) {}

  static async start(): Promise<SshServer> {
    const root = await temporaryFolder('ssh');
    const port = await freePort();
    await makeKey(join(root, 'host'));
    await writeFile(join(root, 'authorized_keys'), '', { mode: 0o600 });
    const options = {
      Port: port,
      ListenAddress: '127.0.0.1',
      HostKey: join(root, 'host'),
      AuthorizedKeysFile: join(root, 'authorized_keys'),
      PidFile: 'none',
      StrictModes: 'no',
      UsePAM: 'no',
      PasswordAuthentication: 'no',
      KbdInteractiveAuthentication: 'no',
    };
    const lines = Object.entries(options).map(([name, value]) => `${name} ${value}\n`);
    await writeFile(join(root, 'config'), lines.join(''));
    if (process.getuid?.() === 0) await mkdir('/run/sshd', { recursive: true });
    const sshd = spawn(SSHD, ['-D', '-e', '-f', join(root, 'config')], { stdio: ['ignore', 'ignore', 'pipe'] });
    await listening(sshd);
    return new SshServer(root, port, sshd);
  }

  /** `host:port`, as GIT_ALLOWED_HOSTS takes it. */
  get host(): string {
    return `127.0.0.1:${this.port}`;
  }

  async createRepository(name: string): Promise<GitRepository> {
    const folder = join(this.root, `${name}.git`);
    const repository = new GitRepository(folder, `ssh://${userInfo().username}@${this.host}${folder}`, 'main');
    await repository.initialize();
    await repository.commit({ 'README.md': `# ${name}\n` });
    return repository;
  }

  /** A private key with which the repositories may be read. */
  async allowedKey(passphrase = ''): Promise<string> {
    const path = join(this.root, `key-${passphrase}`);
    await makeKey(path, passphrase);
    await writeFile(join(this.root, 'authorized_keys'), await readFile(`${path}.pub`), { flag: 'a' });
    return readFile(path, 'utf8');
  }

  /** Path of a known_hosts file that knows this server. */
  async knownHosts(): Promise<string> {
    const path = join(this.root, 'known_hosts');
    await writeFile(path, `[127.0.0.1]:${this.port} ${await readFile(join(this.root, 'host.pub'), 'utf8')}`);
    return path;
  }

  async close(): Promise<void> {
    const exited = once(this.sshd, 'exit');
    this.sshd.kill();
    await exited;
    await rm(this.root, { recursive: true, force: true });
  }
}

const makeKey = (path: string, passphrase = '') =>
  execa('ssh-keygen', ['-q', '-t', 'ed25519', '-N', passphrase, '-C', 'fixture', '-f', path]);

/** Rejects with what it says where it ends instead. */
async function listening({ stderr }: ChildProcess): Promise<void> {
  let output = '';
  if (!stderr) return;
  for await (const chunk of stderr.setEncoding('utf8').iterator({ destroyOnReturn: false })) {
    output += String(chunk);
    if (output.includes('Server listening')) return void stderr.resume();
  }
  throw new Error(`sshd ended: ${output}`);
}
