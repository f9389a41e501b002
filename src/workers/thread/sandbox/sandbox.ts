import type { Readable } from 'node:stream';
import type { ProcessIdentity } from '../../../contracts/process-tree.js';
import type { ThreadContext } from '../../../contracts/worker-messages.js';
import type { PublishedPorts, Publisher } from '../ports/publisher.js';

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

/** How a process ended: one of the two is null. An exit status of 128 and a signal's number is that signal. */
export interface ProcessExit {
  exitCode: number | null;
  signal: NodeJS.Signals | null;
}

export interface SandboxedProcess {
  /** The command itself, as the host sees it. */
  identity: ProcessIdentity;
  /** The first process that was started for it: the outermost of the sandbox, else the command itself. */
  root: ProcessIdentity;
  /** The first process inside, where there is a sandbox: whatever the command starts descends from it. */
  init?: ProcessIdentity;
  /** To be iterated over, at any time; `data` events do not come while something waits for the first of it. */
  stdout: Readable;
  stderr: Readable;
  /** Settles when the process has ended, its descendants perhaps not. Never rejects. */
  exited: Promise<ProcessExit>;
  /** Resolves with the reason when its sandbox works no longer, though it lives; undefined where there is nothing to break. */
  broken?: Promise<string>;
}

/** How git is started, as simple-git starts programs itself. */
export interface GitProgram {
  /** The program and at most one argument that stand for `git`; the marker is in the environment. */
  binary: [string, string];
  /** Whether it came to git at all. Else what has failed is the sandbox, whatever it has said. */
  hasBegun(): boolean;
}

export type SandboxContext = Pick<ThreadContext, 'operationId' | 'repoId' | 'paths' | 'marker'>;

/** Confines a repository's code. */
export interface Sandbox {
  /** Starts a command in a process group of its own. Rejects with a Failure when it cannot be started at all. */
  spawn(command: Command): Promise<SandboxedProcess>;
  /** For one git. */
  git(): GitProgram;
  /** For the app that the last command has started. */
  publisher(ports: PublishedPorts): Publisher;
  /** Hands files that the thread has made to the user of the sandbox, links as such. Where they have the same user, nothing. */
  giveAway(...paths: string[]): void;
  /** Removes what the sandbox itself has left, once the commands are dead. */
  dispose(): Promise<void>;
}
