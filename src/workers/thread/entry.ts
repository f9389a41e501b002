import { parentPort } from 'node:worker_threads';
import { Failure } from '../../contracts/failure.js';
import type { ThreadOperation } from '../../contracts/operations.js';
import type { FromThread, StartMessage, ToThread } from '../../contracts/worker-messages.js';
import { HANDLERS } from './dispatch.js';
import { LogWriter } from './log-writer.js';
import type { Handler, OperationThread } from './operation-thread.js';
import { findTree, killTree } from './process-tree.js';
import { NoSandbox } from './sandbox/none.js';

/**
 * The thread of one operation. It is started ahead of need and waits; it carries out what it is told, once, and ends.
 * Whatever happens in here, what the operation started is dead before the thread is.
 */
const port = parentPort;
if (!port) throw new Error('this file is the entry of a worker thread');

const cancellation = new AbortController();
const stoppingListeners: ((reason: string) => void)[] = [];
const send = (message: FromThread) => port.postMessage(message);

port.on('message', (message: ToThread) => {
  if (message.type === 'start') void carryOut(message);
  if (message.type === 'abort') cancellation.abort(Failure.from(message.reason));
  if (message.type === 'stopping') for (const listener of stoppingListeners) listener(message.reason);
});
send({ type: 'ready' });

async function carryOut({ operation, context, input }: StartMessage): Promise<void> {
  const log = new LogWriter(context.log, (lastSeq) => send({ type: 'log', lastSeq }));
  const sessions: Promise<void>[] = [];
  const thread: OperationThread = {
    context,
    log,
    send,
    sandbox: new NoSandbox(context.marker),
    signal: cancellation.signal,
    progress: (phase, percent, message) => send({ type: 'progress', phase, percent, message }),
    keepAlive: (session) => void sessions.push(session),
    onStopping: (listener) => void stoppingListeners.push(listener),
  };
  try {
    const output = await (HANDLERS[operation] as Handler<ThreadOperation>)(input, thread);
    if (sessions.length === 0) await endTree(context.marker);
    send({ type: 'done', output });
  } catch (error) {
    await endTree(context.marker);
    const aborted = cancellation.signal.aborted ? (cancellation.signal.reason as Failure) : undefined;
    log.close(); // its last lines are on disk before anybody is told to read them
    send({ type: 'failed', failure: (aborted ?? Failure.of(error)).toData() });
  }
  await Promise.allSettled(sessions);
  await endTree(context.marker);
  log.close();
  process.exit();
}

/** Also what a successful command has left behind: an install script's daemon is nobody's. */
async function endTree(marker: string): Promise<void> {
  await killTree(() => findTree({ marker }));
}
