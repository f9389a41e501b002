import { Logger } from '@nestjs/common';
import { MAX_BATCH_BYTES, type LogReader } from '../../apps/log-reader.js';
import type { LogSource, RepoLog } from '../../contracts/events.js';
import { drained } from './backlog.js';
import type { StationSocket } from './station-socket.js';

const BATCH_LINES = 100;
const logger = new Logger('Sockets');

interface FeedOptions {
  socket: StationSocket;
  uid: string;
  repoId: string;
  logs: LogReader;
  /** undefined where the log is not sent. */
  sourceOf(operationId: string): Promise<LogSource | undefined>;
  /** Asked before every batch, so that a change of visibility is heeded at once. */
  mayRead(): Promise<boolean>;
  /** operationId → seq of the last line that the subscriber has; a log not listed here is sent from its start. */
  cursors: Map<string, number>;
}

/**
 * Sends the logs of a repository to one subscriber. It pulls: the next batch is read when the socket has taken the one
 * before, so a slow reader holds up nobody and fills no memory. It loses the lines that are no longer kept by then.
 */
export class LogFeed {
  private readonly sources = new Map<string, LogSource | undefined>();
  private readonly news = new Set<string>();
  private readonly ending = new AbortController();
  private sending = false;

  constructor(private readonly options: FeedOptions) {}

  /** There are new lines in the log of an operation or run. */
  wake(operationId: string): void {
    this.news.add(operationId);
    if (this.sending || this.ending.signal.aborted) return;
    this.sending = true;
    this.sendAll()
      .catch((error: unknown) => {
        if (!this.ending.signal.aborted) logger.warn(`A log could not be sent to a subscriber: ${String(error)}`);
      })
      .finally(() => (this.sending = false));
  }

  end(): void {
    this.ending.abort();
  }

  private async sendAll(): Promise<void> {
    // A set is iterated to its end, what is added on the way included.
    for (const operationId of this.news) {
      this.news.delete(operationId);
      await this.send(operationId);
    }
  }

  private async send(operationId: string): Promise<void> {
    const { socket, uid, repoId, logs, cursors } = this.options;
    const source = await this.source(operationId);
    if (source === undefined) return;
    for (;;) {
      await drained(socket, this.ending.signal);
      if (!(await this.options.mayRead())) return;
      const { lines, nextCursor, dropped } = await logs.after(
        uid,
        operationId,
        cursors.get(operationId) ?? 0,
        BATCH_LINES,
        MAX_BATCH_BYTES,
      );
      if (this.ending.signal.aborted || (lines.length === 0 && dropped === 0)) return;
      cursors.set(operationId, Number(nextCursor));
      socket.emit('repo-log', { repoId, uid, source, operationId, lines, dropped } satisfies RepoLog);
    }
  }

  private async source(operationId: string): Promise<LogSource | undefined> {
    if (!this.sources.has(operationId)) this.sources.set(operationId, await this.options.sourceOf(operationId));
    return this.sources.get(operationId);
  }
}
