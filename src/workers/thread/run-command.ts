import { setTimeout as delay } from 'node:timers/promises';
import { Failure } from '../../contracts/failure.js';
import type { OperationThread } from './operation-thread.js';
import { killTree } from '../../machine/end-tree.js';
import { findTree } from '../../machine/process-tree.js';
import type { Command } from './sandbox/sandbox.js';

/** How a command ended: one of the two is null. */
export interface CommandEnd {
  exitCode: number | null;
  signal: NodeJS.Signals | null;
}

/** For what is left in the pipes of a process that has ended. */
const DRAIN_MS = 2_000;

/**
 * Runs a command to its end, its output into the operation's log. When it returns, the command and all that it started
 * are dead. Rejects with the reason of the operation's abort, or with a Failure when the command cannot be started or its
 * sandbox has broken.
 */
export async function runCommand(
  { context, log, sandbox, signal }: Pick<OperationThread, 'context' | 'log' | 'sandbox' | 'signal'>,
  command: Command,
  onLine?: (text: string) => void,
): Promise<CommandEnd> {
  signal.throwIfAborted();
  const child = await sandbox.spawn(command);
  const endTree = async () => void (await killTree(() => findTree({ marker: context.marker, root: child.root })));
  // No SIGTERM first: work that was cut short is done anew, and a grandchild that ignores it would only gain time.
  const onAbort = () => void endTree();
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  let broken: string | undefined;
  void child.broken?.then((reason) => {
    broken = reason;
    return endTree();
  });
  const output = Promise.all([log.follow(child.stdout, 'stdout', onLine), log.follow(child.stderr, 'stderr', onLine)]);
  const end = await child.exited;
  const reason = broken;
  signal.removeEventListener('abort', onAbort);
  // What a command leaves running in the background holds its pipes open: they would never end.
  await endTree();
  await Promise.race([output, delay(DRAIN_MS, undefined, { ref: false })]);
  child.stdout.destroy();
  child.stderr.destroy();
  await output;
  signal.throwIfAborted();
  if (reason !== undefined) throw new Failure('SANDBOX_UNAVAILABLE', `${reason}: the sandbox has broken`);
  return end;
}
