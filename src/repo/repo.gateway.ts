import {
  type OnGatewayConnection,
  type OnGatewayDisconnect,
  type OnGatewayInit,
  WebSocketGateway,
} from '@nestjs/websockets';
import type { Server } from 'socket.io';
import { failureOfException } from '../common/failure-of-exception.js';
import { validate } from '../common/validation.js';
import { Failure } from '../contracts/failure.js';
import { AuditTrail } from '../auth/audit/audit-trail.service.js';
import type { Principal } from '../auth/principal.js';
import { boundBacklog } from './sockets/backlog.js';
import { bounded, type BoundedMessage } from './sockets/bounded-message.js';
import { OperationMessageDto, SubscribeMessageDto, UnsubscribeMessageDto } from './sockets/messages.dto.js';
import { Reply } from './sockets/reply.js';
import { SessionsService } from './sockets/sessions.service.js';
import { SocketOperationsService } from './sockets/socket-operations.service.js';
import type { SocketSession } from './sockets/socket-session.js';
import type { StationSocket } from './sockets/station-socket.js';
import { SubscriptionsService } from './sockets/subscriptions.service.js';

/** As much as a REST body may have. The transport takes more, so that a larger message gets an answer. */
const MAX_MESSAGE_CHARS = 1_000_000;

type Handler = (session: SocketSession, caller: Principal, body: unknown, reply: Reply) => Promise<void>;

/** The Socket.IO door. */
@WebSocketGateway()
export class RepoGateway implements OnGatewayInit<Server>, OnGatewayConnection<StationSocket>, OnGatewayDisconnect {
  constructor(
    private readonly sessions: SessionsService,
    private readonly operations: SocketOperationsService,
    private readonly subscriptions: SubscriptionsService,
    private readonly audit: AuditTrail,
  ) {}

  afterInit(server: Server): void {
    server.use((socket, next) => {
      this.sessions.admit(socket).then(
        () => next(),
        (error: unknown) => next(connectError(error)),
      );
    });
  }

  /**
   * Messages are bound here and not with `@SubscribeMessage`: Nest awaits before it calls a handler, so messages of
   * different events could change places, and its guards, pipes and filters would not see these anyway.
   */
  handleConnection(socket: StationSocket): void {
    boundBacklog(socket);
    const session = this.sessions.open(socket);
    const handlers: Record<string, Handler> = {
      'repo-operation': (...message) => this.operate(...message),
      'repo-subscribe': (...message) => this.subscribe(...message),
      'repo-unsubscribe': (...message) => this.unsubscribe(...message),
    };
    for (const [event, handler] of Object.entries(handlers)) {
      socket.on(event, (...args) => this.receive(session, event, args, handler));
    }
    const known = Object.keys(handlers);
    socket.onAny((event: string, ...args: unknown[]) => {
      if (!known.includes(event)) this.receive(session, event, args, () => Promise.reject(unknownEvent(event, known)));
    });
  }

  handleDisconnect(socket: StationSocket): void {
    this.sessions.close(socket);
  }

  private async operate(session: SocketSession, caller: Principal, body: unknown, reply: Reply): Promise<void> {
    const message = validate(OperationMessageDto, body, 'message');
    await this.operations.takeUp(
      message,
      caller,
      { socketId: session.socket.id, origin: this.sessions.originOf(session.socket) },
      reply,
    );
  }

  private async subscribe(session: SocketSession, caller: Principal, body: unknown, reply: Reply): Promise<void> {
    const message = validate(SubscribeMessageDto, body, 'message');
    await this.subscriptions.subscribe(session, caller, message, reply);
    await this.sessions.endWithKey(session, caller);
  }

  private async unsubscribe(session: SocketSession, caller: Principal, body: unknown, reply: Reply): Promise<void> {
    const message = validate(UnsubscribeMessageDto, body, 'message');
    await this.subscriptions.unsubscribe(session, caller, message, reply);
  }

  /** Whatever was sent, it is answered exactly once and nothing is thrown into Socket.IO. */
  private receive(session: SocketSession, event: string, args: unknown[], handler: Handler): void {
    const last = args.at(-1);
    const acknowledge = typeof last === 'function' ? (last as (answer: unknown) => void) : undefined;
    const [body] = acknowledge ? args.slice(0, -1) : args;
    const reply = new Reply(session.socket, event, acknowledge, body);
    const message = bounded(body, MAX_MESSAGE_CHARS);
    try {
      session.inTurn(() => this.takeUp(session, event, message, handler, reply), message.chars);
    } catch (error) {
      reply.fail(error);
    }
  }

  private async takeUp(
    session: SocketSession,
    event: string,
    { body, excess }: BoundedMessage,
    handler: Handler,
    reply: Reply,
  ): Promise<void> {
    let caller: Principal | undefined;
    try {
      // First of all: a stranger is told nothing about what they have sent.
      caller = await this.sessions.callerOf(session, event, body);
      if (excess) throw excess;
      await handler(session, caller, body, reply);
    } catch (error) {
      reply.fail(error);
      if (caller && reply.isOfChange)
        await this.audit.answered(caller, this.sessions.originOf(session.socket), reply.refusal(error));
    }
  }
}

const unknownEvent = (event: string, known: string[]): Failure =>
  new Failure('BAD_REQUEST', `There is no event ${event.slice(0, 100)}: expected one of ${known.join(', ')}`);

function connectError(exception: unknown): Error {
  const failure = failureOfException(exception);
  return Object.assign(new Error(failure.message), { data: failure.toData() });
}
