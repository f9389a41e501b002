import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Principal } from '../../auth/principal.js';
import { Failure } from '../../contracts/failure.js';
import type { Subscription } from './subscription.js';
import type { StationSocket } from './station-socket.js';

/** After this a socket that has shown no valid key loses its transport. */
const SIGN_IN_MS = 10_000;
const MAX_WAITING = 1000;
/** When this much waits, one large message may still come to it. */
const MAX_WAITING_CHARS = 1_000_000;

/** One connected socket: who it is signed in as, what it has subscribed to, and the order of its messages. */
export class SocketSession {
  /** By uid. */
  readonly subscriptions = new Map<string, Subscription>();
  private signedIn: Principal | undefined;
  private readonly deadline: NodeJS.Timeout;
  private lastTaken: Promise<void> = Promise.resolve();
  private waiting = 0;
  private waitingChars = 0;

  constructor(readonly socket: StationSocket) {
    this.deadline = setTimeout(() => this.close(), SIGN_IN_MS);
  }

  /** Whom events are sent to; undefined while nobody has signed in. */
  get principal(): Principal | undefined {
    return this.signedIn;
  }

  /** The first valid key counts, later ones act for their message only. */
  signIn(principal: Principal): void {
    this.signedIn ??= principal;
    clearTimeout(this.deadline);
  }

  /**
   * Takes a message up when those before it have been, each in a turn of the event loop of its own: hundreds that came
   * in one go hold up nobody. `chars` is how much waits with it. `work` never rejects.
   */
  inTurn(work: () => Promise<void>, chars: number): void {
    if (this.waiting >= MAX_WAITING || this.waitingChars > MAX_WAITING_CHARS) {
      throw new Failure('QUEUE_FULL', `${this.waiting} messages of this socket wait already.`, {
        context: { waiting: this.waiting, characters: this.waitingChars },
        suggestion: 'Wait for answers before sending more.',
      });
    }
    this.count(1, chars);
    this.lastTaken = this.lastTaken
      .then(work)
      .then(() => nextTurn())
      .finally(() => this.count(-1, -chars));
  }

  private count(messages: number, chars: number): void {
    this.waiting += messages;
    this.waitingChars += chars;
  }

  /**
   * A key has ended: the socket that is signed in with it is closed, what was subscribed with it ends. What still waits is
   * refused in its turn, by the key; of a client that has only hung up it is carried out.
   */
  keyEnded(keyId: string): void {
    if (this.signedIn?.keyId === keyId) this.close();
    for (const subscription of this.subscriptions.values()) {
      if (subscription.principal.keyId === keyId) this.unsubscribe(subscription.uid);
    }
  }

  unsubscribe(uid: string): void {
    this.subscriptions.get(uid)?.end();
    this.subscriptions.delete(uid);
  }

  /** The transport and not just the socket: after `disconnect()` a client would never come back by itself. */
  close(): void {
    this.socket.conn.close(true);
  }

  /** The socket has gone. */
  end(): void {
    clearTimeout(this.deadline);
    for (const uid of this.subscriptions.keys()) this.unsubscribe(uid);
  }
}
