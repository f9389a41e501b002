import { accessSync, constants } from 'node:fs';
import { delimiter, dirname, isAbsolute, join } from 'node:path';
import type { Readable } from 'node:stream';
import { simpleGit } from 'simple-git';
import { Failure } from '../../../contracts/failure.js';
import { TREE_MARKER } from '../../../contracts/process-tree.js';
import type { OperationThread } from '../operation-thread.js';
import type { GitProgram } from '../sandbox/sandbox.js';
import { SYSTEM_PATH } from '../sandbox/system-program.js';
import { withoutPaths } from '../../../machine/bounded.js';
import { killTree } from '../../../machine/end-tree.js';
import { findTree } from '../../../machine/process-tree.js';
import { gitFailure } from './git-failure.js';
import { GitOutput } from './git-output.js';
import { watchForPipe } from './named-pipes.js';

export type GitThread = Pick<OperationThread, 'context' | 'sandbox' | 'log' | 'signal' | 'progress'>;

/** What a remote adds. */
export interface GitOptions {
  environment?: Record<string, string>;
  /** `key=value`, above what any configuration file says. */
  config?: string[];
  /** Must not appear in a log or an error. */
  secrets?: string[];
}

/** How the machine reaches the network; all else that git needs is said explicitly. */
const OF_THE_MACHINE = [
  'http_proxy',
  'https_proxy',
  'HTTPS_PROXY',
  'all_proxy',
  'ALL_PROXY',
  'no_proxy',
  'NO_PROXY',
  'GIT_SSL_CAINFO',
  'GIT_SSL_CAPATH',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'CURL_CA_BUNDLE',
];

/**
 * Above the repository's own configuration, which its apps may have written: none of its programs is run.
 * The LFS filter would fail without its server, and download without asking with it.
 */
const CONFIG = [
  'core.hooksPath=/dev/null',
  'core.fsmonitor=false',
  'credential.helper=',
  'filter.lfs.smudge=',
  'filter.lfs.process=',
  'filter.lfs.clean=',
  'filter.lfs.required=false',
  'gc.auto=0',
  'maintenance.auto=false',
  'submodule.recurse=false',
  'advice.detachedHead=false',
  'log.mailmap=false', // it would read a file of the working tree
];

/** The names of a few hundred thousand files. */
const MAX_STDOUT_BYTES = 64_000_000;
const MAX_STDERR_BYTES = 16_000_000;

/** git runs in the workspace, where a relative folder, or an empty entry, would be one of the repository. */
const absoluteFolders = (path: string): string => path.split(delimiter).filter(isAbsolute).join(delimiter);

/** Runs git for one operation: in a clean environment, through the sandbox, without a question, and not beyond its abort. */
export class Git {
  private readonly environment: Record<string, string>;

  constructor(
    private readonly thread: GitThread,
    private readonly options: GitOptions = {},
  ) {
    const machine = OF_THE_MACHINE.flatMap((name) => (process.env[name] ? [[name, process.env[name]] as const] : []));
    this.environment = {
      ...Object.fromEntries(machine),
      PATH: absoluteFolders(process.env.PATH ?? SYSTEM_PATH),
      HOME: thread.context.paths.home,
      LC_ALL: 'C',
      [TREE_MARKER]: thread.context.marker,
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_TERMINAL_PROMPT: '0',
      GIT_ASKPASS: '', // empty: also above core.askPass
      GIT_ALLOW_PROTOCOL: 'none', // a remote allows its own one
      GIT_LFS_SKIP_SMUDGE: '1',
      GIT_OPTIONAL_LOCKS: '0',
      ...options.environment,
    };
  }

  /** Resolves with git's standard output. Rejects with a Failure, or with the reason of the operation's abort. */
  async run(folder: string, args: string[]): Promise<string> {
    const { thread, environment } = this;
    thread.signal.throwIfAborted();
    const onAbort = () => void this.killAll();
    thread.signal.addEventListener('abort', onAbort, { once: true });
    const program = thread.sandbox.git();
    const git = simpleGit({
      baseDir: folder,
      binary: program.binary,
      config: [...CONFIG, `safe.directory=${folder}`, ...(this.options.config ?? [])],
      allowEnvironment: Object.keys(environment),
      // By default output that comes 50 ms after the exit is lost, and a git that was killed has succeeded.
      completion: { onClose: true, onExit: false },
      errors: (error, { exitCode }) => error ?? (hasEnded(exitCode, program) ? undefined : new Error('it was killed')),
      // The guards are for what callers pass on from users: all of these are constants of this file and its neighbours.
      unsafe: {
        allowUnsafeAskPass: true,
        allowUnsafeConfigPaths: true,
        allowUnsafeCredentialHelper: true,
        allowUnsafeCustomBinary: true,
        allowUnsafeFilter: true,
        allowUnsafeFsMonitor: true,
        allowUnsafeHooksPath: true,
        allowUnsafeSshCommand: true,
      },
    }).env(environment);
    const output = new GitOutput(thread, (text) => this.redact(text));
    let ended: Failure | undefined;
    const end = (failure: Failure | undefined) => {
      if (ended || !failure) return;
      ended = failure;
      void this.killAll();
    };
    const onFlood = () => end(new Failure('GIT_FAILED', `The output is too long: git ${args[0]}`));
    const over = new AbortController();
    void watchForPipe(thread.context.paths.workspace, over.signal).then(end, () => undefined);
    git.outputHandler((_command, stdout, stderr) => {
      watchLength(stdout as Readable, MAX_STDOUT_BYTES, onFlood);
      watchLength(stderr as Readable, MAX_STDERR_BYTES, onFlood);
      output.follow(stderr as Readable);
    });
    try {
      const said = await git.raw(args);
      if (ended) throw ended; // the look at a pipe may have let it go on
      return said;
    } catch (error) {
      if (thread.signal.aborted) await this.killAll();
      thread.signal.throwIfAborted();
      if (ended) throw ended;
      const said = this.redact(error instanceof Error ? error.message : String(error));
      // A folder that its repository has closed cannot even be begun in.
      if (!program.hasBegun() && canBeEntered(folder))
        throw new Failure('SANDBOX_UNAVAILABLE', `${withoutPaths(said.trim())}: no sandbox for git`);
      throw gitFailure(said, args[0] ?? '');
    } finally {
      over.abort();
      thread.signal.removeEventListener('abort', onAbort);
    }
  }

  /** git's helpers (git-remote-https, ssh) outlive a git that is killed. */
  private async killAll(): Promise<void> {
    await killTree(() => findTree({ marker: this.thread.context.marker }));
  }

  private redact(text: string): string {
    const { secrets = [] } = this.options;
    const { workspace, staging } = this.thread.context.paths;
    const withoutSecrets = secrets
      .reduce((rest, secret) => rest.replaceAll(secret, '***'), text)
      .replaceAll(join(staging, 'tree'), '.')
      .replaceAll(workspace, '.')
      .replaceAll(dirname(staging), '.staging');
    return withoutSecrets.replace(/(\w:\/\/)[^/@\s]+@/g, '$1***@');
  }
}

function canBeEntered(folder: string): boolean {
  try {
    accessSync(folder, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** simple-git keeps all of it in memory, and a host can say what it likes for as long as it likes. */
function watchLength(stream: Readable, maxBytes: number, onFlood: () => void): void {
  let bytes = 0;
  stream.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > maxBytes) onFlood();
  });
}

/** git's own are 128 and 129 at most; a shell in between, as a sandbox has one, adds the number of a signal to 128. */
const LAST_EXIT_CODE = 129;

/**
 * By itself, and not by a signal. Node.js then gives no exit code, which the types of simple-git do not know. Nor does it
 * take for an error what has failed without a word, which git may do and a sandbox may not.
 */
function hasEnded(exitCode: number | null, program: GitProgram): boolean {
  return exitCode !== null && exitCode <= LAST_EXIT_CODE && (exitCode === 0 || program.hasBegun());
}
