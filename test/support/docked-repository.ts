import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../../src/contracts/failure.js';
import type { CloneInput, CloneOutput, UpdateInput, UpdateOutput } from '../../src/contracts/operations.js';
import { clone } from '../../src/workers/thread/operations/clone.js';
import { settle } from '../../src/workers/thread/operations/settle.js';
import { update } from '../../src/workers/thread/operations/update.js';
import { GIT_ENVIRONMENT, type GitFile, type GitRepository } from './git-repository.js';
import { GitServer } from './git-server.js';
import { TestThread } from './operation-thread.js';

interface Tree {
  commit: string;
  changes: string;
  remains: string[];
}

/** A tree that is exactly the commit. */
export const wholeTree = (commit: string): Tree => ({ commit, changes: '', remains: [] });

/** A repository on a Git server, its clone, and the handlers that clone and update it. */
export class DockedRepository {
  static start = async (): Promise<DockedRepository> => new DockedRepository(await GitServer.start());

  station = new TestThread({});
  upstream!: GitRepository;
  cloned!: CloneOutput;
  private count = 0;

  private constructor(readonly server: GitServer) {}

  get workspace(): string {
    return this.station.paths.workspace;
  }

  /** A new repository upstream, and nothing docked. */
  async reset(files: Record<string, GitFile>): Promise<void> {
    await this.station.dispose();
    this.station = new TestThread({});
    this.upstream = await this.createRepository('app', files);
  }

  createRepository(name: string, files?: Record<string, GitFile>): Promise<GitRepository> {
    return this.server.createRepository(`alice/${name}-${++this.count}`, { files });
  }

  async dock(input: Partial<CloneInput> = {}): Promise<CloneOutput> {
    const access = { allowedHosts: [this.server.host] };
    this.cloned = await clone({ repoUrl: this.upstream.url, depth: 1, git: access, ...input }, this.station.next());
    return this.cloned;
  }

  /** An update that is accepted. */
  async update(input: Partial<UpdateInput> = {}): Promise<UpdateOutput> {
    const thread = this.station.next();
    try {
      return await this.move(input, thread);
    } finally {
      await settle({ accepted: true }, { ...thread, signal: new AbortController().signal });
    }
  }

  /** An update of which it is not decided whether it is accepted. */
  move(input: Partial<UpdateInput> = {}, thread = this.station.next()): Promise<UpdateOutput> {
    const { repoUrl, branch, refKind } = this.cloned;
    const access = { allowedHosts: [this.server.host] };
    return update({ repoUrl, tracked: { branch, refKind }, git: access, ...input }, thread);
  }

  path(name: string): string {
    return join(this.workspace, name);
  }

  read(...names: string[]): string[] {
    return names.map((name) => this.station.read(name));
  }

  git(...args: string[]): string {
    const output = execFileSync('git', args, { cwd: this.workspace, env: GIT_ENVIRONMENT, encoding: 'utf8' });
    return output.trimEnd();
  }

  /** Where the tree is, what git has to say about it, and what is left half-done. */
  tree(): Tree {
    return {
      commit: this.git('rev-parse', 'HEAD'),
      changes: this.git('status', '--porcelain'),
      remains: [
        ...readdirSync(this.path('.git')).filter((name) => /lock$|MERGE|index\.|config\./.test(name)),
        ...this.station.staged(),
      ],
    };
  }

  async close(): Promise<void> {
    await this.station.dispose();
    await this.server.close();
  }
}

export async function failureOf(work: Promise<unknown>): Promise<Failure> {
  const outcome: unknown = await work.catch((error: unknown) => error);
  if (outcome instanceof Failure) return outcome;
  throw new Error('it did not fail with a Failure', { cause: outcome });
}
