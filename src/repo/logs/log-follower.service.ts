import { Injectable } from '@nestjs/common';
import { LogReader, MAX_BATCH_BYTES, type LogPage } from '../../apps/log-reader.js';
import { ApiKeysService } from '../../auth/api-keys.service.js';
import type { Principal } from '../../auth/principal.js';
import { EventBus } from '../../events/event-bus.js';
import { LogSourceService, type LogTarget } from './log-source.service.js';

const BATCH_LINES = 500;
const HEARTBEAT_MS = 15_000;

/** Follows a log at the pace of its reader: the next lines are read when those before have been taken. */
@Injectable()
export class LogFollowerService {
  constructor(
    private readonly logs: LogReader,
    private readonly sources: LogSourceService,
    private readonly events: EventBus,
    private readonly keys: ApiKeysService,
  ) {}

  /**
   * Ends when the log can no longer grow, or when the reader may no longer read it: asked before each page. An empty
   * page comes every 15 s in which nothing else does.
   */
  async *follow(target: LogTarget, from: number, reader: Principal): AsyncGenerator<LogPage, void> {
    const news = new News();
    let keyEnded = false;
    const unsubscribe = [
      this.events.subscribe('key-ended', ({ keyId }) => {
        if (keyId !== reader.keyId) return;
        keyEnded = true;
        news.arrive();
      }),
      this.events.subscribe('log', ({ operationId }) => operationId === target.operationId && news.arrive()),
      // The end of an operation or an app is no line, and yet it ends the log.
      this.events.subscribe('event', ({ payload }) => payload.uid === target.uid && news.arrive()),
      this.events.subscribe('notification', ({ payload }) => payload.uid === target.uid && news.arrive()),
    ];
    try {
      if (await this.keys.hasEnded(reader)) return;
      for (let cursor = from, ended = false; ;) {
        news.forget(); // before reading: what arrives while it reads is read next time
        if (keyEnded || !(await this.sources.mayRead(target, reader))) return;
        const page = await this.logs.after(target.uid, target.operationId, cursor, BATCH_LINES, MAX_BATCH_BYTES);
        cursor = Number(page.nextCursor);
        if (page.lines.length > 0 || page.dropped > 0) yield page;
        else if (ended) return;
        else if (!(await this.sources.canGrow(target)))
          ended = true; // one more look: lines may have come before the end
        else if (!(await news.within(HEARTBEAT_MS))) yield page;
      }
    } finally {
      for (const end of unsubscribe) end();
    }
  }
}

/** Remembers that something happened, for one who will wait for it. */
class News {
  private arrived = false;
  private wake: (() => void) | undefined;

  arrive(): void {
    this.arrived = true;
    this.wake?.();
  }

  forget(): void {
    this.arrived = false;
  }

  /** Whether there was any within the time. */
  async within(milliseconds: number): Promise<boolean> {
    if (this.arrived) return true;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.wake = undefined;
    return this.arrived;
  }
}
