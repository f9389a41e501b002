import { Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { ApiKeysService } from '../../auth/api-keys.service.js';
import { bearerOf } from '../../auth/bearer.js';
import type { Principal } from '../../auth/principal.js';
import { isPlainObject } from '../../common/fields.js';
import { Failure } from '../../contracts/failure.js';
import { EventBus } from '../../events/event-bus.js';
import { SocketSession } from './socket-session.js';
import type { StationSocket } from './station-socket.js';

/** The sockets that are connected, and who is behind each message of theirs. */
@Injectable()
export class SessionsService implements OnModuleInit, OnApplicationShutdown {
  private readonly sessions = new Map<string, SocketSession>();
  private readonly admitted = new WeakMap<StationSocket, Principal>();
  private unsubscribe: (() => void) | undefined;

  constructor(
    private readonly keys: ApiKeysService,
    private readonly events: EventBus,
  ) {}

  onModuleInit(): void {
    this.unsubscribe = this.events.subscribe('key-ended', ({ keyId }) => {
      for (const session of this.all()) session.keyEnded(keyId);
    });
  }

  /** Not before: while the server drains its sockets are told what is interrupted and stopped. */
  onApplicationShutdown(): void {
    this.unsubscribe?.();
    for (const session of this.sessions.values()) session.end();
  }

  /** Before the connection: rejects with UNAUTHORIZED when the handshake has a key and it is wrong. */
  async admit(socket: StationSocket): Promise<void> {
    const auth: Record<string, unknown> = socket.handshake.auth;
    const inAuth = auth.apiKey ?? undefined;
    if (inAuth !== undefined && typeof inAuth !== 'string') {
      throw new Failure('UNAUTHORIZED', 'auth.apiKey is not text.');
    }
    const key = inAuth ?? bearerOf(socket.request.rawHeaders);
    if (key !== undefined) this.admitted.set(socket, await this.keys.authenticate(key));
  }

  open(socket: StationSocket): SocketSession {
    const session = new SocketSession(socket);
    this.sessions.set(socket.id, session);
    const principal = this.admitted.get(socket);
    if (principal) session.signIn(principal);
    return session;
  }

  close(socket: StationSocket): void {
    this.sessions.get(socket.id)?.end();
    this.sessions.delete(socket.id);
  }

  all(): Iterable<SocketSession> {
    return this.sessions.values();
  }

  /** Who asks: the message's own key, else whoever the socket is signed in as. The message has not been validated yet. */
  async callerOf(session: SocketSession, message: unknown): Promise<Principal> {
    const apiKey = isPlainObject(message) ? message.apiKey : undefined;
    if (typeof apiKey === 'string') {
      const principal = await this.keys.authenticate(apiKey);
      session.signIn(principal);
      return principal;
    }
    if (session.principal) return session.principal;
    throw new Failure('UNAUTHORIZED', 'No API key was sent.', {
      suggestion: 'Send auth.apiKey in the handshake, or apiKey in the message.',
    });
  }
}
