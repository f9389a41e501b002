import { Readable } from 'node:stream';
import { Injectable, StreamableFile } from '@nestjs/common';
import { LogReader, type LogPage } from '../../apps/log-reader.js';
import type { Principal } from '../../auth/principal.js';
import { success, type Success } from '../../common/envelope.js';
import type { OperationLogQuery } from '../dto/queries.dto.js';
import type { Exchange } from '../exchange.js';
import type { LogLine } from '../../contracts/log.js';
import { formatCursor, LOG_CURSOR, parseCursor, withCursor } from './log-cursor.js';
import { LogFollowerService } from './log-follower.service.js';
import { LogSourceService, type LogTarget } from './log-source.service.js';

const DEFAULT_TAIL = 100;
const PAGE_LINES = 1000;
const EVENT_STREAM = 'text/event-stream';

/** undefined is an answer without a body: 204. */
export type LogAnswer = Success<LogPage> | StreamableFile | undefined;

/** Answers requests for a log: a page as JSON, or the log as it grows as server-sent events. */
@Injectable()
export class LogAnswersService {
  constructor(
    private readonly logs: LogReader,
    private readonly follower: LogFollowerService,
    private readonly sources: LogSourceService,
  ) {}

  async answer(exchange: Exchange, target: LogTarget | undefined, query: OperationLogQuery): Promise<LogAnswer> {
    if (exchange.request.accepts(['application/json', EVENT_STREAM]) === EVENT_STREAM) {
      return this.stream(exchange, target, query);
    }
    return success(target ? withCursor(await this.page(target, query), target.operationId) : NOTHING);
  }

  private async page(
    { uid, operationId }: LogTarget,
    { cursor, tail = DEFAULT_TAIL }: OperationLogQuery,
  ): Promise<LogPage> {
    if (cursor === undefined) return this.logs.tail(uid, operationId, tail);
    const { operationId: read = operationId, seq } = parseCursor(cursor);
    if (read === operationId) return this.logs.after(uid, operationId, seq, PAGE_LINES);
    // The log of an earlier run: this one begins with its first line, and what was not read of that one is told.
    const [page, end] = [await this.logs.after(uid, operationId, 0, PAGE_LINES), await this.logs.tail(uid, read, 0)];
    return { ...page, dropped: page.dropped + Math.max(0, Number(end.nextCursor) - seq) };
  }

  private async stream(
    { request, response, caller }: Exchange,
    target: LogTarget | undefined,
    query: OperationLogQuery,
  ): Promise<LogAnswer> {
    const resumed = request.get('last-event-id');
    const cursor = resumed !== undefined && LOG_CURSOR.regex.test(resumed) ? resumed : query.cursor;
    const first = target ? await this.page(target, { tail: query.tail, cursor }) : NOTHING;
    if (
      first.lines.length === 0 &&
      first.dropped === 0 &&
      resumed !== undefined &&
      !(target && (await this.sources.canGrow(target)))
    ) {
      response.status(204); // by the standard an EventSource then stops to reconnect
      return undefined;
    }
    response.setHeader('Cache-Control', 'no-cache, no-transform');
    response.setHeader('X-Accel-Buffering', 'no');
    return new StreamableFile(Readable.from(this.frames(first, target, caller), { objectMode: false }), {
      type: EVENT_STREAM,
    });
  }

  private async *frames(
    first: LogPage,
    target: LogTarget | undefined,
    reader: Principal,
  ): AsyncGenerator<string, void> {
    yield ': follow with Last-Event-ID\n\n';
    if (!target) return;
    yield framesOf(first, target);
    for await (const page of this.follower.follow(target, Number(first.nextCursor), reader)) {
      yield framesOf(page, target) || ': nothing new\n\n';
    }
  }
}

const NOTHING: LogPage = { lines: [], nextCursor: '0', dropped: 0 };

function framesOf({ lines, dropped }: LogPage, { operationId }: LogTarget): string {
  const lost = dropped > 0 ? `event: dropped\ndata: ${JSON.stringify({ dropped })}\n\n` : '';
  const frame = (line: LogLine) =>
    `event: log\nid: ${formatCursor(operationId, line.seq)}\ndata: ${JSON.stringify(line)}\n\n`;
  return lost + lines.map(frame).join('');
}
