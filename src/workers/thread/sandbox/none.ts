import { basename } from 'node:path';
import { execa } from 'execa';
import { Failure } from '../../../contracts/failure.js';
import { TREE_MARKER } from '../../../contracts/process-tree.js';
import { withoutPaths } from '../../../machine/bounded.js';
import { identify } from '../../../machine/live-processes.js';
import { HostPublisher } from '../ports/host-publisher.js';
import type { PublishedPorts, Publisher } from '../ports/publisher.js';
import type { CpuGroup } from './cpu-group.js';
import { exitOfStatus } from './exit-status.js';
import type { Command, GitProgram, ProcessExit, Sandbox, SandboxedProcess } from './sandbox.js';

/** No confinement: the command runs as the server's user with the server's view, in a process group and environment of its own. */
export class NoSandbox implements Sandbox {
  constructor(
    private readonly marker: string,
    private readonly cpu?: CpuGroup,
  ) {}

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
    const found = child.pid === undefined ? undefined : identify(child.pid);
    if (child.pid === undefined)
      throw startFailure(command, (await child) as unknown as { cause?: NodeJS.ErrnoException });
    // Not execa's own promise: that waits for the pipes too, which a daemon may hold open for ever.
    const exited = new Promise<ProcessExit>((resolve) => {
      child.once('exit', (status, signal) =>
        resolve(status === null ? { exitCode: null, signal } : exitOfStatus(status)),
      );
    });
    this.cpu?.take(child.pid);
    const identity = { pid: child.pid, startTime: found?.startTime ?? 0 };
    return {
      identity,
      root: identity,
      stdout: child.stdout,
      stderr: child.stderr,
      exited,
    };
  }

  /** In a session of its own, as all else is: nobody who was started beside the server is in its process group. */
  git(): GitProgram {
    return { binary: ['setsid', 'git'], hasBegun: () => true };
  }

  publisher(ports: PublishedPorts): Publisher {
    return new HostPublisher(ports);
  }

  giveAway(): void {
    // It is the same user.
  }

  async dispose(): Promise<void> {
    this.cpu?.remove();
  }
}

function startFailure(command: Command, { cause }: { cause?: NodeJS.ErrnoException }): Failure {
  const code = cause?.code;
  const reason =
    code === 'E2BIG' ? 'arguments and environment together are too long' : withoutPaths(cause?.message ?? 'unknown');
  const blame = code === 'E2BIG' ? 'BAD_REQUEST' : code === 'ENOSPC' ? 'NO_SPACE' : 'INTERNAL_ERROR';
  return new Failure(blame, `${reason}: could not start ${basename(command.file)}`, { cause });
}
