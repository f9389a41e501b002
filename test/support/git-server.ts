import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { GitRepository, type GitFile } from './git-repository.js';
import { serveWithHttpBackend } from './http-backend.js';
import { temporaryFolder } from './temporary-folder.mjs';

export interface GitRequest {
  method: string;
  /** With the query. */
  path: string;
  /** The header as it came. */
  authorization?: string;
}

export interface RepositoryOptions {
  /** Of the first commit; without them a README.md. */
  files?: Record<string, GitFile>;
  /** The default branch; `main` when left out. */
  branch?: string;
  /** No first commit. */
  empty?: boolean;
  /** Credentials without which nothing is read. */
  auth?: { username: string; password: string };
}

export interface Stall {
  /** Resolves when a request is being held. */
  readonly reached: Promise<void>;
  /** Lets what is held, and what comes, pass. */
  release(): void;
}

/** Real smart HTTP on a port of 127.0.0.1: `git http-backend` behind Node's server, repositories in a temporary folder. */
export class GitServer {
  /** Every request so far. */
  readonly requests: GitRequest[] = [];
  private readonly auth = new Map<string, string>();
  private readonly redirects: { from: string; to: string; status: number }[] = [];
  private readonly others: { path: string; answer: (request: IncomingMessage, response: ServerResponse) => void }[] =
    [];
  private readonly stalls = new Map<string, { reach(): void; released: Promise<void> }>();

  private constructor(
    private readonly server: Server,
    private readonly root: string,
  ) {}

  static async start(): Promise<GitServer> {
    const server = createServer();
    const git = new GitServer(server, await temporaryFolder('git'));
    server.on('request', (request: IncomingMessage, response: ServerResponse) => void git.answer(request, response));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return git;
  }

  /** `host:port`, as GIT_ALLOWED_HOSTS takes it. */
  get host(): string {
    return `127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  get url(): string {
    return `http://${this.host}`;
  }

  /** `name` is `owner/repository`; the URL ends in `.git`, and works without. */
  async createRepository(name: string, options: RepositoryOptions = {}): Promise<GitRepository> {
    const folder = join(this.root, `${name}.git`);
    const repository = new GitRepository(folder, `${this.url}/${name}.git`, options.branch ?? 'main');
    await repository.initialize();
    if (!options.empty) await repository.commit(options.files ?? { 'README.md': `# ${name}\n` });
    if (options.auth) this.auth.set(`/${name}`, `${options.auth.username}:${options.auth.password}`);
    return repository;
  }

  /** Holds requests whose path begins with `path` (without `.git`), such as `/alice/app/git-upload-pack`. */
  stall(path: string): Stall {
    let reach!: () => void;
    let release!: () => void;
    const reached = new Promise<void>((resolve) => (reach = resolve));
    const released = new Promise<void>((resolve) => (release = resolve));
    this.stalls.set(path, { reach, released });
    return {
      reached,
      release: () => {
        this.stalls.delete(path);
        release();
      },
    };
  }

  /** Answers requests whose path begins with `from` (without `.git`) with `to`, a URL or a path, and what follows. */
  redirect(from: string, to: string, status = 302): void {
    this.redirects.push({ from, to, status });
  }

  /** Answers requests whose path begins with `path` (without `.git`) as no Git host does. */
  misbehave(path: string, answer: (request: IncomingMessage, response: ServerResponse) => void): void {
    this.others.push({ path, answer });
  }

  async close(): Promise<void> {
    const closed = once(this.server, 'close');
    this.server.close();
    this.server.closeAllConnections();
    await closed;
    await rm(this.root, { recursive: true, force: true, maxRetries: 3 });
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url = '' } = request;
    const { authorization } = request.headers;
    this.requests.push({ method, path: url, authorization });
    const path = url.replace(/\.git(?=\/)/, '');
    for (const [prefix, stall] of this.stalls) {
      if (!path.startsWith(prefix)) continue;
      stall.reach();
      await stall.released;
    }
    if (response.destroyed) return; // the client has given up meanwhile
    const other = this.others.find((one) => path.startsWith(one.path));
    if (other) {
      other.answer(request, response);
      return;
    }
    const redirect = this.redirects.find(({ from }) => path.startsWith(`${from}/`));
    if (redirect) {
      response.writeHead(redirect.status, { location: redirect.to + path.slice(redirect.from.length) }).end();
    } else if (this.isRefused(path, authorization)) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="git"' }).end();
    } else {
      serveWithHttpBackend(this.root, request, response);
    }
  }

  private isRefused(path: string, authorization: string | undefined): boolean {
    const needed = [...this.auth].find(([prefix]) => path.startsWith(`${prefix}/`))?.[1];
    return needed !== undefined && authorization !== `Basic ${Buffer.from(needed).toString('base64')}`;
  }
}
