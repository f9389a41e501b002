import { execa } from 'execa';
import { Failure } from '../../../contracts/failure.js';
import { TREE_MARKER } from '../../../contracts/process-tree.js';
import { identify } from '../process-tree.js';
import type { Command, ProcessExit, Sandbox, SandboxedProcess } from './sandbox.js';

/** No confinement: the command runs as the server's user with the server's view, in a process group and environment of its own. */
export class NoSandbox implements Sandbox {
  readonly isolation = { driver: 'none', reason: 'the server runs without a sandbox' } as const;
  readonly network = { mode: 'shared', reason: 'the server runs without a sandbox' } as const;
  readonly gitBinary: [string] = ['git'];

  constructor(private readonly marker: string) {}

  async spawn(command: Command): Promise<SandboxedProcess> {
    const child = execa(command.file, command.args, {
      cwd: command.cwd,
      env: { ...command.env, [TREE_MARKER]: this.marker },
      extendEnv: false,
      stdin: command.stdin === 'open' ? 'pipe' : 'ignore',
      stdout: 'pipe',
      stderr: 'pipe',
      buffer: false,
      detached: true,
      cleanup: false,
      reject: false,
    });
    const identity = child.pid === undefined ? undefined : identify(child.pid);
    if (child.pid === undefined)
      throw startFailure(command, (await child) as unknown as { cause?: NodeJS.ErrnoException });
    // Not execa's own promise: that waits for the pipes too, which a daemon may hold open for ever.
    const exited = new Promise<ProcessExit>((resolve) => {
      child.once('exit', (exitCode, signal) => resolve({ exitCode, signal }));
    });
    return {
      identity: identity ?? { pid: child.pid, startTime: 0 },
      stdout: child.stdout,
      stderr: child.stderr,
      exited,
    };
  }
}

function startFailure(command: Command, { cause }: { cause?: NodeJS.ErrnoException }): Failure {
  const code = cause?.code;
  const reason = code === 'E2BIG' ? 'arguments and environment together are too long' : (cause?.message ?? 'unknown');
  const blame = code === 'E2BIG' ? 'BAD_REQUEST' : code === 'ENOSPC' ? 'NO_SPACE' : 'INTERNAL_ERROR';
  return new Failure(blame, `${reason}: could not start ${command.file}`, { cause });
}
