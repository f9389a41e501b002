import type { Readable } from 'node:stream';
import type { ProcessIdentity } from '../../../contracts/process-tree.js';
import type { IsolationReport, NetworkReport } from '../../../contracts/shapes.js';

/** What a command is for decides what it may see: git gets the host's network, an app its own port space. */
export type CommandPurpose = 'git' | 'install' | 'app';

export interface Command {
  purpose: CommandPurpose;
  file: string;
  args: string[];
  cwd: string;
  /** The whole environment: nothing of the server's is added but the tree marker. */
  env: Record<string, string>;
  /** `open`: a pipe that never ends, for servers that exit when stdin closes. `empty`: end of file at once, so that no prompt waits. */
  stdin: 'open' | 'empty';
}

/** How a process ended: one of the two is null. */
export interface ProcessExit {
  exitCode: number | null;
  signal: NodeJS.Signals | null;
}

export interface SandboxedProcess {
  identity: ProcessIdentity;
  stdout: Readable;
  stderr: Readable;
  /** Settles when the process has ended, its descendants perhaps not. Never rejects. */
  exited: Promise<ProcessExit>;
}

/** Confines a repository's code. A driver says what it really does; nobody assumes it. */
export interface Sandbox {
  readonly isolation: IsolationReport;
  readonly network: NetworkReport;
  /** Starts a command in a process group of its own. Rejects with a Failure when it cannot be started at all. */
  spawn(command: Command): Promise<SandboxedProcess>;
  /** The program and at most one argument that stand for `git`, as simple-git takes them; the marker is in the environment. */
  readonly gitBinary: [string] | [string, string];
}
