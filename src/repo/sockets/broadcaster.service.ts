import { Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import type { Principal } from '../../auth/principal.js';
import { maySee } from '../../auth/repository-access.js';
import { EventBus, type Audience, type StationEvents } from '../../events/event-bus.js';
import { backlogOf } from './backlog.js';
import { EventReplay } from './event-replay.js';
import { SessionsService } from './sessions.service.js';

/** Beyond this many packets that a socket has not taken, it is spared progress: the next one says more anyway. */
const CONGESTED_PACKETS = 64;

/** Hands what happens on the station to the sockets that may hear it. */
@Injectable()
export class BroadcasterService implements OnModuleInit, OnApplicationShutdown {
  readonly replay = new EventReplay();
  private unsubscribe: (() => void)[] = [];

  constructor(
    private readonly events: EventBus,
    private readonly sessions: SessionsService,
  ) {}

  onModuleInit(): void {
    this.unsubscribe = [
      this.events.subscribe('event', (event) => this.event(event)),
      this.events.subscribe('notification', (event) => this.notification(event)),
      this.events.subscribe('progress', (event) => this.progress(event)),
      this.events.subscribe('log', (event) => this.log(event)),
      this.events.subscribe('notice', (event) => this.notice(event)),
    ];
  }

  /** Not before: what is interrupted and stopped while the server drains is told as well. */
  onApplicationShutdown(): void {
    for (const end of this.unsubscribe) end();
  }

  private event({ audience, payload }: StationEvents['event']): void {
    this.replay.keep({ name: 'repo-event', payload });
    for (const { socket, principal } of this.sessions.all()) {
      if (mayHear(principal, audience)) socket.emit('repo-event', payload);
    }
    if (payload.type === 'unloaded') this.forget(payload.uid);
  }

  private notification({ audience, payload, socketId }: StationEvents['notification']): void {
    this.replay.keep({ name: 'repo-notification', payload, socketId });
    for (const { socket, principal } of this.sessions.all()) {
      if (socket.id !== socketId && mayHear(principal, audience)) socket.emit('repo-notification', payload);
    }
  }

  private progress({ audience, payload, socketId }: StationEvents['progress']): void {
    for (const { socket, subscriptions } of this.sessions.all()) {
      const subscribed = mayHear(subscriptions.get(audience.uid)?.principal, audience);
      const congested = backlogOf(socket) > CONGESTED_PACKETS;
      if ((subscribed || socket.id === socketId) && !congested) socket.emit('repo-progress', payload);
    }
  }

  /** Whether it may be read is for the feed to ask, before each batch. */
  private log({ audience, operationId }: StationEvents['log']): void {
    for (const { subscriptions } of this.sessions.all()) subscriptions.get(audience.uid)?.feed?.wake(operationId);
  }

  private notice({ owner, payload }: StationEvents['notice']): void {
    for (const { socket, principal } of this.sessions.all()) {
      if (principal?.owner === owner && !principal.admin) socket.emit('owner-notice', payload);
    }
  }

  private forget(uid: string): void {
    this.replay.forget(uid);
    for (const session of this.sessions.all()) session.unsubscribe(uid);
  }
}

/** Receiving events takes the permission `read`; a socket that has not signed in receives none. */
function mayHear(principal: Principal | undefined, audience: Audience): boolean {
  return principal !== undefined && principal.permissions.includes('read') && maySee(principal, audience);
}
