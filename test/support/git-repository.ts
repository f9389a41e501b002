import { execa } from 'execa';

/** The content of a file; or a link, an executable, a submodule at a commit. */
export type GitFile = string | Buffer | { link: string } | { executable: string } | { submodule: string };

export interface CommitOptions {
  /** Default: the default branch. It is made, from the default branch, when it does not exist. */
  branch?: string;
  message?: string;
  /** Paths to delete. */
  remove?: string[];
  /** Without a parent, and with nothing but the given files. */
  orphan?: boolean;
  /** In place of the branch's last commit. */
  amend?: boolean;
}

export interface TagOptions {
  annotated?: boolean;
  force?: boolean;
  /** What it points to; the tip of the default branch when left out. */
  at?: string;
}

/** No configuration of the user who runs the tests. */
export const GIT_ENVIRONMENT = {
  PATH: process.env.PATH,
  LC_ALL: 'C',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_COMMITTER_NAME: 'Fixture',
  GIT_COMMITTER_EMAIL: 'fixture@example.com',
};

/** A bare repository of the Git server, written to without a working tree. */
export class GitRepository {
  private commits = 0;
  private isEmpty = true;

  constructor(
    readonly folder: string,
    readonly url: string,
    readonly defaultBranch: string,
  ) {}

  async initialize(): Promise<void> {
    await execa('git', ['init', '--quiet', '--bare', `--initial-branch=${this.defaultBranch}`, this.folder], {
      env: GIT_ENVIRONMENT,
      extendEnv: false,
    });
  }

  /** Adds and replaces files; resolves with the new commit. Also where it rewrites history, as a forced push does. */
  async commit(files: Record<string, GitFile>, options: CommitOptions = {}): Promise<string> {
    const branch = `refs/heads/${options.branch ?? this.defaultBranch}`;
    const base = await this.base(branch, options);
    const message = options.message ?? `Commit ${++this.commits}`;
    const stream = [
      `commit ${branch}\nmark :1\ncommitter Fixture <fixture@example.com> ${Math.floor(Date.now() / 1000)} +0000\n`,
      data(message),
      base.parent ? `from ${base.parent}\n` : '',
      base.tree ? `M 040000 ${base.tree} \n` : '',
      ...(options.remove ?? []).map((path) => `D ${path}\n`),
      ...Object.entries(files).flatMap(([path, file]) => change(path, file)),
      'get-mark :1\n',
    ];
    if (!base.parent && !this.isEmpty) await this.git('update-ref', '-d', branch); // fast-import would go on from its tip
    this.isEmpty = false;
    const input = Buffer.concat(stream.map((part) => Buffer.from(part)));
    return this.git({ input }, 'fast-import', '--quiet', '--force');
  }

  async branch(name: string, at = this.defaultBranch): Promise<void> {
    await this.git('branch', '--force', '--', name, at);
  }

  async deleteBranch(name: string): Promise<void> {
    await this.git('update-ref', '-d', `refs/heads/${name}`);
  }

  async tag(name: string, { annotated, force, at = this.defaultBranch }: TagOptions = {}): Promise<void> {
    const kind = annotated ? ['-a', '-m', name] : [];
    await this.git('tag', ...kind, ...(force ? ['--force'] : []), '--', name, at);
  }

  /** The commit that a branch, a tag or an abbreviation stands for. */
  commitOf(revision: string): Promise<string> {
    return this.git('rev-parse', '--verify', `${revision}^{commit}`);
  }

  private async base(branch: string, { orphan, amend }: CommitOptions): Promise<{ parent?: string; tree?: string }> {
    if (orphan || this.isEmpty) return {};
    const tip = await this.find(`${branch}^{commit}`);
    if (!amend) return { parent: tip ?? (await this.find(`refs/heads/${this.defaultBranch}^{commit}`)) };
    return { parent: await this.find(`${branch}^`), tree: await this.find(`${branch}^{tree}`) };
  }

  private find(revision: string): Promise<string | undefined> {
    return this.git('rev-parse', '--verify', '--quiet', revision).catch(() => undefined);
  }

  private async git(...parameters: [{ input: Buffer }, ...string[]] | string[]): Promise<string> {
    const [first, ...rest] = parameters;
    const { input, args } = typeof first === 'object' ? { input: first.input, args: rest } : { args: parameters };
    const { stdout } = await execa('git', args as string[], {
      cwd: this.folder,
      env: GIT_ENVIRONMENT,
      extendEnv: false,
      input: input ?? '',
    });
    return stdout;
  }
}

/** Commands of git's fast-import stream. */
function change(path: string, file: GitFile): (string | Buffer)[] {
  if (typeof file === 'string' || Buffer.isBuffer(file)) return [`M 100644 inline ${path}\n`, data(file)];
  if ('link' in file) return [`M 120000 inline ${path}\n`, data(file.link)];
  if ('executable' in file) return [`M 100755 inline ${path}\n`, data(file.executable)];
  return [`M 160000 ${file.submodule} ${path}\n`];
}

function data(content: string | Buffer): Buffer {
  const bytes = Buffer.from(content);
  return Buffer.concat([Buffer.from(`data ${bytes.length}\n`), bytes, Buffer.from('\n')]);
}
