import { dirname } from 'node:path';
import { inspect } from 'node:util';
import { parentPort } from 'node:worker_threads';
import { Failure } from '../../contracts/failure.js';
import type { StoppedByStation } from '../../contracts/stop-reasons.js';
import type { ThreadOperation } from '../../contracts/operations.js';
import type { FromThread, StartMessage, ThreadContext, ToThread } from '../../contracts/worker-messages.js';
import { HANDLERS } from './dispatch.js';
import { freeSpace, measureDisk } from './disk-watch.js';
import { toldProcessLimit, watchLimits } from './limits-watch.js';
import { LogWriter } from './log-writer.js';
import type { Handler, OperationThread } from './operation-thread.js';
import { killTree } from '../../machine/end-tree.js';
import { identify, type LiveProcess } from '../../machine/live-processes.js';
import { findTree } from '../../machine/process-tree.js';
import { Progress } from './progress.js';
import { launchFolderOf } from './sandbox/launch-folder.js';
import { clearStaging } from './workspace/scratch-folder.js';
import { openSandbox } from './sandbox/open-sandbox.js';
import type { Watched } from './tree-usage.js';

/**
 * The thread of one operation. It is started ahead of need and waits; it carries out what it is told, once, and ends.
 * Whatever happens in here, what the operation started is dead before the thread is.
 */
const port = parentPort;
if (!port) throw new Error('this file is the entry of a worker thread');

/** These run programs of others, and may use more than they should. */
const WATCHED = new Set<ThreadOperation>(['clone', 'install', 'update', 'run']);
/** Their commands have process groups of their own, and a network of their own, with a relay. */
const RELAYED = new Set<ThreadOperation>(['install', 'run']);
/** How much of the output tells why a program has ended. */
const DIAGNOSED_LINES = 20;

const cancellation = new AbortController();
const stoppingListeners: ((reason: StoppedByStation) => void)[] = [];
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
  const progress = new Progress((phase, percent, message) => send({ type: 'progress', phase, percent, message }));
  const sessions: Promise<void>[] = [];
  const over = new AbortController();
  const watched = watchedOf(context, operation);
  const thread: OperationThread = {
    context,
    log,
    send,
    sandbox,
    signal: cancellation.signal,
    progress: progress.tell,
    keepAlive: (session) => void sessions.push(session),
    onStopping: (listener) => void stoppingListeners.push(listener),
    checkLimits: async () => {
      // Without a sandbox it is a limit of the machine.
      const isKernels = context.sandbox.isolation.driver === 'bubblewrap';
      const told = isKernels ? toldProcessLimit(log.lastLines(DIAGNOSED_LINES), watched.limits) : undefined;
      endBeyondLimit(told ?? (await measureDisk(watched)));
    },
    anotherPort: () =>
      new Promise((resolve) => {
        portRequests.push(resolve);
        send({ type: 'port-wanted' });
      }),
    giveBackPort: (returned) => send({ type: 'port-returned', port: returned }),
  };
  if (WATCHED.has(operation)) void watchLimits(watched, over.signal).then(endBeyondLimit);
  try {
    const output = await (HANDLERS[operation] as Handler<ThreadOperation>)(input, thread);
    if (sessions.length === 0) await endTree(context.marker);
    if (operation === 'clone') endBeyondLimit(await measureDisk(watched));
    if (operation === 'install') await thread.checkLimits(); // its scripts may have gone on without what they were refused
    cancellation.signal.throwIfAborted();
    progress.end();
    send({ type: 'done', output });
  } catch (error) {
    await endTree(context.marker);
    if (WATCHED.has(operation)) await thread.checkLimits();
    const aborted = cancellation.signal.aborted ? (cancellation.signal.reason as Failure) : undefined;
    progress.end();
    log.close(); // its last lines are on disk before anybody is told to read them
    const failure = aborted ?? Failure.of(error);
    const unexpected = failure.code === 'INTERNAL_ERROR' ? inspect(error) : undefined;
    send({ type: 'failed', failure: failure.toData(), ...(unexpected !== undefined && { unexpected }) });
  }
  await Promise.allSettled(sessions);
  over.abort();
  await sandbox.dispose();
  await clearStaging(context);
  log.close();
  process.exit();
}

function watchedOf(context: ThreadContext, operation: ThreadOperation): Watched {
  const { marker, paths, sandbox } = context;
  const own = identify(process.pid)?.pgid;
  // The relay is the station's, and in its process group.
  const isCounted = ({ pgid }: LiveProcess) => !RELAYED.has(operation) || pgid !== own;
  const folders = [paths.workspace, paths.home, paths.staging, launchFolderOf(context)];
  return {
    limits: sandbox.limits,
    members: () => findTree({ marker }).filter(isCounted),
    folders,
    filesFreeBefore: freeSpace([...folders, dirname(paths.staging)]).files,
  };
}

/** The first reason to end counts. */
function endBeyondLimit(broken: Failure | undefined): void {
  if (broken) cancellation.abort(broken);
}

/** Also what a successful command has left behind: an install script's daemon is nobody's. */
async function endTree(marker: string): Promise<void> {
  await killTree(() => findTree({ marker }));
}
