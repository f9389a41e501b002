import { Injectable } from '@nestjs/common';
import { LogReader } from '../../apps/log-reader.js';
import { requirePermission } from '../../auth/api-key.guard.js';
import type { Principal } from '../../auth/principal.js';
import { maySee, RepositoryAccess } from '../../auth/repository-access.js';
import { LiveOperations } from '../../operations/live-operations.service.js';
import { RepositoryChanges } from '../../operations/repository-changes.js';
import type { RepositoryEntry } from '../../registry/repository-entry.js';
import { RepositoryRegistry } from '../../registry/repository-registry.js';
import { formatCursor, parseCursor } from '../logs/log-cursor.js';
import { LogSourceService } from '../logs/log-source.service.js';
import { BroadcasterService } from './broadcaster.service.js';
import { LogFeed } from './log-feed.js';
import type { SubscribeMessageDto, UnsubscribeMessageDto } from './messages.dto.js';
import type { Reply } from './reply.js';
import type { SocketSession } from './socket-session.js';
import type { StationSocket } from './station-socket.js';
import { Subscription } from './subscription.js';

/** Lets sockets follow a repository closely, from where they left off. */
@Injectable()
export class SubscriptionsService {
  constructor(
    private readonly access: RepositoryAccess,
    private readonly registry: RepositoryRegistry,
    private readonly live: LiveOperations,
    private readonly changes: RepositoryChanges,
    private readonly logs: LogReader,
    private readonly logSources: LogSourceService,
    private readonly broadcaster: BroadcasterService,
  ) {}

  async subscribe(
    session: SocketSession,
    caller: Principal,
    { repoId: id, logs = true, logCursor, sinceSeq }: SubscribeMessageDto,
    reply: Reply,
  ): Promise<void> {
    requirePermission(caller, 'read');
    const entry = await this.access.toRead(id, caller);
    const { uid, repoId } = entry;
    const app = await this.logSources.choose(entry, 'app');
    const cursors = await this.cursors(entry, app?.operationId);
    const asked = logCursor === undefined ? undefined : parseCursor(logCursor);
    // Of an earlier run: then this one is sent from its start.
    const isEarlier = asked?.operationId !== undefined && asked.operationId !== app?.operationId;
    const seq = isEarlier ? 0 : (asked?.seq ?? (app && cursors.get(app.operationId)) ?? 0);
    if (app) cursors.set(app.operationId, seq);
    const feed = logs ? this.feed(session.socket, entry, caller, cursors) : undefined;

    // From here on without a pause: no event can come in between that is neither replayed nor heard.
    session.unsubscribe(uid);
    session.subscriptions.set(uid, new Subscription(uid, caller, feed));
    const { replay } = this.broadcaster;
    const eventSeq = this.changes.currentSeq(entry);
    const { events, missed } = replay.since(uid, sinceSeq ?? eventSeq, eventSeq);
    const appCursor = app ? formatCursor(app.operationId, seq) : '0';
    reply.confirm({ repoId, uid, seq: eventSeq, logCursor: appCursor, missed });
    for (const event of events) {
      if (event.socketId === session.socket.id) continue;
      if (event.name === 'repo-event') session.socket.emit('repo-event', event.payload);
      else session.socket.emit('repo-notification', event.payload);
    }
    if (app && logCursor !== undefined) feed?.wake(app.operationId);
  }

  async unsubscribe(
    session: SocketSession,
    caller: Principal,
    { repoId: id }: UnsubscribeMessageDto,
    reply: Reply,
  ): Promise<void> {
    requirePermission(caller, 'read');
    const { uid, repoId } = await this.access.toRead(id, caller);
    session.unsubscribe(uid);
    reply.confirm({ repoId, uid });
  }

  /** Where the logs stand that are being written: a subscriber is sent what comes after. */
  private async cursors(entry: RepositoryEntry, appOperationId: string | undefined): Promise<Map<string, number>> {
    const cursors = new Map<string, number>();
    const active = this.live.active(entry.uid)?.operationId;
    for (const operationId of new Set([appOperationId, active])) {
      if (operationId === undefined) continue;
      const { nextCursor } = await this.logs.tail(entry.uid, operationId, 1);
      cursors.set(operationId, Number(nextCursor));
    }
    return cursors;
  }

  private feed(
    socket: StationSocket,
    { uid, repoId }: RepositoryEntry,
    caller: Principal,
    cursors: Map<string, number>,
  ): LogFeed {
    return new LogFeed({
      socket,
      uid,
      repoId,
      logs: this.logs,
      cursors,
      sourceOf: (operationId) => this.logSources.sourceOfLog(operationId),
      mayRead: async () => {
        const entry = await this.registry.find(uid);
        return entry !== undefined && maySee(caller, entry);
      },
    });
  }
}
