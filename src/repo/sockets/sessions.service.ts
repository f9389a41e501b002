import { Inject, Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { addressOf } from '../../auth/address.js';
import { ApiKeysService } from '../../auth/api-keys.service.js';
import type { Origin } from '../../auth/audit/audit-trail.service.js';
import { bearerOf } from '../../auth/bearer.js';
import type { Principal } from '../../auth/principal.js';
import { RateLimit, EXEMPT_OPERATIONS } from '../../auth/rate-limit.service.js';
import { STATION_CONFIG, type StationConfig } from '../../config/config.js';
import { isPlainObject } from '../../common/fields.js';
import { Failure } from '../../contracts/failure.js';
import { EventBus } from '../../events/event-bus.js';
import { SocketSession } from './socket-session.js';
import type { StationSocket } from './station-socket.js';

/** With these one looks at logs, which no plan's limit refuses. */
const LOG_EVENTS = new Set(['repo-subscribe', 'repo-unsubscribe']);

/** The sockets that are connected, and who is behind each message of theirs. */
@Injectable()
export class SessionsService implements OnModuleInit, OnApplicationShutdown {
  private readonly sessions = new Map<string, SocketSession>();
  private readonly admitted = new WeakMap<StationSocket, Principal>();
  private unsubscribe: (() => void) | undefined;

  constructor(
    private readonly keys: ApiKeysService,
    private readonly events: EventBus,
    private readonly rateLimit: RateLimit,
    @Inject(STATION_CONFIG) private readonly config: StationConfig,
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

  /** Before the connection: rejects with UNAUTHORIZED when the handshake has a key and it is wrong; RATE_LIMITED. */
  async admit(socket: StationSocket): Promise<void> {
    const auth: Record<string, unknown> = socket.handshake.auth;
    const inAuth = auth.apiKey ?? undefined;
    if (inAuth !== undefined && typeof inAuth !== 'string') {
      throw new Failure('UNAUTHORIZED', 'auth.apiKey is not text.');
    }
    const key = inAuth ?? bearerOf(socket.request.rawHeaders);
    if (key === undefined) return this.rateLimit.ofStranger(this.originOf(socket).address);
    const principal = await this.identify(this.keys.authenticate(key), socket);
    await this.rateLimit.ofCaller(principal, true); // without a connection nothing could be stopped through it
    this.admitted.set(socket, principal);
  }

  /** How the socket has reached the station. */
  originOf({ request }: StationSocket): Origin {
    return { door: 'socket', address: addressOf(request, this.config.trustProxy) };
  }

  open(socket: StationSocket): SocketSession {
    const session = new SocketSession(socket);
    this.sessions.set(socket.id, session);
    const principal = this.admitted.get(socket);
    if (principal) this.signIn(session, principal);
    return session;
  }

  close(socket: StationSocket): void {
    this.sessions.get(socket.id)?.end();
    this.sessions.delete(socket.id);
  }

  all(): Iterable<SocketSession> {
    return this.sessions.values();
  }

  /**
   * Who asks: the message's own key, else whoever the socket is signed in as, whose key may have ended while the message
   * waited. The message has not been validated yet.
   */
  async callerOf(session: SocketSession, event: string, message: unknown): Promise<Principal> {
    const { apiKey, operation } = isPlainObject(message) ? message : {};
    const ownKey = typeof apiKey === 'string' ? apiKey : undefined;
    const known = ownKey === undefined ? session.principal : undefined;
    const asked = known ? this.keys.confirm(known) : this.keys.authenticate(ownKey);
    const principal = await this.identify(asked, session.socket);
    await this.rateLimit.ofCaller(principal, LOG_EVENTS.has(event) || EXEMPT_OPERATIONS.has(operation));
    if (!session.principal) this.signIn(session, principal);
    return principal;
  }

  /** Once something of the session is the caller's: their key may have ended before there was anything that ends with it. */
  async endWithKey(session: SocketSession, caller: Principal): Promise<void> {
    const hasEnded = await this.keys.hasEnded(caller).catch(() => true);
    if (hasEnded) session.keyEnded(caller.keyId);
  }

  private signIn(session: SocketSession, principal: Principal): void {
    session.signIn(principal);
    void this.endWithKey(session, principal);
  }

  private async identify(asked: Promise<Principal>, socket: StationSocket): Promise<Principal> {
    try {
      return await asked;
    } catch (error) {
      await this.rateLimit.ofStranger(this.originOf(socket).address);
      throw error;
    }
  }
}
