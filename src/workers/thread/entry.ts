import { inspect } from 'node:util';
import { parentPort } from 'node:worker_threads';
import { Failure } from '../../contracts/failure.js';
import type { ThreadOperation } from '../../contracts/operations.js';
import type { FromThread, StartMessage, ThreadContext, ToThread } from '../../contracts/worker-messages.js';
import { HANDLERS } from './dispatch.js';
import { watchLimits } from './limits-watch.js';
import { LogWriter } from './log-writer.js';
import type { Handler, OperationThread } from './operation-thread.js';
import { findTree, killTree } from './process-tree.js';
import { openSandbox } from './sandbox/open-sandbox.js';

/**
 * The thread of one operation. It is started ahead of need and waits; it carries out what it is told, once, and ends.
 * Whatever happens in here, what the operation started is dead before the thread is.
 */
const port = parentPort;
if (!port) throw new Error('this file is the entry of a worker thread');

/** These run programs of others, and may use more than they should. */
const WATCHED = new Set<ThreadOperation>(['clone', 'install', 'update', 'run']);

const cancellation = new AbortController();
const stoppingListeners: ((reason: string) => void)[] = [];
const portRequests: ((port: number | null) => void)[] = [];
const send = (message: FromThread) => port.postMessage(message);

port.on('message', (message: ToThread) => {
  if (message.type === 'start') void carryOut(message);
  if (message.type === 'abort') cancellation.abort(Failure.from(message.reason));
  if (message.type === 'stopping') for (const listener of stoppingListeners) listener(message.reason);
  if (message.type === 'port-granted') portRequests.shift()?.(message.port);
});
send({ type: 'ready' });

async function carryOut({ operation, context, input }: StartMessage): Promise<void> {
  const log = new LogWriter(context.log, (lastSeq, bytes) => send({ type: 'log', lastSeq, bytes }));
  const sandbox = openSandbox(context.sandbox, context);
  const sessions: Promise<void>[] = [];
  const over = new AbortController();
  const thread: OperationThread = {
    context,
    log,
    send,
    sandbox,
    signal: cancellation.signal,
    progress: (phase, percent, message) => send({ type: 'progress', phase, percent, message }),
    keepAlive: (session) => void sessions.push(session),
    onStopping: (listener) => void stoppingListeners.push(listener),
    anotherPort: () =>
      new Promise((resolve) => {
        portRequests.push(resolve);
        send({ type: 'port-wanted' });
      }),
  };
  if (WATCHED.has(operation)) void endBeyondLimits(context, over.signal);
  try {
    const output = await (HANDLERS[operation] as Handler<ThreadOperation>)(input, thread);
    if (sessions.length === 0) await endTree(context.marker);
    send({ type: 'done', output });
  } catch (error) {
    await endTree(context.marker);
    const aborted = cancellation.signal.aborted ? (cancellation.signal.reason as Failure) : undefined;
    log.close(); // its last lines are on disk before anybody is told to read them
    const failure = aborted ?? Failure.of(error);
    const unexpected = failure.code === 'INTERNAL_ERROR' ? inspect(error) : undefined;
    send({ type: 'failed', failure: failure.toData(), ...(unexpected !== undefined && { unexpected }) });
  }
  await Promise.allSettled(sessions);
  over.abort();
  await endTree(context.marker);
  await sandbox.dispose();
  log.close();
  process.exit();
}

async function endBeyondLimits({ marker, paths, sandbox }: ThreadContext, signal: AbortSignal): Promise<void> {
  const { workspace, home, staging } = paths;
  const members = () => findTree({ marker });
  const broken = await watchLimits({ limits: sandbox.limits, members, folders: [workspace, home, staging] }, signal);
  if (broken) cancellation.abort(broken);
}

/** Also what a successful command has left behind: an install script's daemon is nobody's. */
async function endTree(marker: string): Promise<void> {
  await killTree(() => findTree({ marker }));
}
