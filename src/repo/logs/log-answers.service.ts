import { Readable } from 'node:stream';
import { Injectable, StreamableFile } from '@nestjs/common';
import { LogReader, type LogPage } from '../../apps/log-reader.js';
import type { Principal } from '../../auth/principal.js';
import { success, type Success } from '../../common/envelope.js';
import type { OperationLogQuery } from '../dto/queries.dto.js';
import type { Exchange } from '../exchange.js';
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
    return success(target ? await this.page(target, query) : NOTHING);
  }

  private async page(
    { uid, operationId }: LogTarget,
    { cursor, tail = DEFAULT_TAIL }: OperationLogQuery,
  ): Promise<LogPage> {
    if (cursor === undefined) return this.logs.tail(uid, operationId, tail);
    const page = await this.logs.after(uid, operationId, Number(cursor), PAGE_LINES);
    if (page.lines.length > 0) return page;
    const end = await this.logs.tail(uid, operationId, 0);
    // A cursor beyond the end comes from the log of an earlier run.
    return Number(cursor) > Number(end.nextCursor) ? this.logs.after(uid, operationId, 0, PAGE_LINES) : page;
  }

  private async stream(
    { request, response, caller }: Exchange,
    target: LogTarget | undefined,
    query: OperationLogQuery,
  ): Promise<LogAnswer> {
    const resumed = request.get('last-event-id');
    const cursor = resumed !== undefined && /^\d{1,15}$/.test(resumed) ? resumed : query.cursor;
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
    yield `: follow with Last-Event-ID\n\n${framesOf(first)}`;
    if (!target) return;
    for await (const page of this.follower.follow(target, Number(first.nextCursor), reader)) {
      yield framesOf(page) || ': nothing new\n\n';
    }
  }
}

const NOTHING: LogPage = { lines: [], nextCursor: '0', dropped: 0 };

function framesOf({ lines, dropped }: LogPage): string {
  const lost = dropped > 0 ? `event: dropped\ndata: ${JSON.stringify({ dropped })}\n\n` : '';
  return lost + lines.map((line) => `event: log\nid: ${line.seq}\ndata: ${JSON.stringify(line)}\n\n`).join('');
}
