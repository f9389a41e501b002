import { Injectable } from '@nestjs/common';
import { Failure } from '../contracts/failure.js';
import { countBy, fairOrder } from './fair-order.js';
import { isLight, type Lane, OperationQueue, type QueueItem, type QueueStats } from './operation-queue.js';

export interface QueueLimits {
  lanes: Record<Lane, number>;
  /** How much work may wait in all; and of what is light as much for each owner, so that nothing keeps out a stop. */
  waiting: number;
}

const RETRY_AFTER_SECONDS = 5;
const TELL_EVERY_MS = 200;

/** For one station. Fair between owners; within a repository the order of arrival always holds. */
@Injectable()
export class InProcessOperationQueue extends OperationQueue {
  private waiting: QueueItem[] = [];
  private readonly running = new Set<QueueItem>();
  private readonly served = new Map<string, number>();
  private readonly listeners: (() => void)[] = [];
  /** By operationId; undefined when they have to be found anew. */
  private positions: Map<string, number> | undefined;
  private telling: NodeJS.Timeout | undefined;
  private turn = 0;
  private draining = false;

  constructor(private readonly limits: QueueLimits) {
    super();
  }

  add(item: QueueItem): void {
    if (this.draining) throw new Failure('DRAINING', 'The server is shutting down and takes no new operation');
    this.waiting.push(item);
    this.startWhatCan();
    if (this.waiting.at(-1) !== item) return;
    const alike = this.waiting.filter((one) =>
      isLight(item.lane) ? isLight(one.lane) && one.owner === item.owner : !isLight(one.lane),
    );
    if (alike.length <= this.limits.waiting) return;
    this.waiting.pop();
    throw new Failure('QUEUE_FULL', `${this.limits.waiting} operations are waiting already`, {
      context: { limit: this.limits.waiting, use: this.limits.waiting, retryAfterSeconds: RETRY_AFTER_SECONDS },
    });
  }

  remove(operationIds: readonly string[]): Set<string> {
    const wanted = new Set(operationIds);
    const removed = this.waiting.filter((item) => wanted.has(item.operationId));
    this.waiting = this.waiting.filter((item) => !wanted.has(item.operationId));
    this.startWhatCan();
    return new Set(removed.map((item) => item.operationId));
  }

  position(operationId: string): number | undefined {
    this.positions ??= this.findPositions();
    return this.positions.get(operationId);
  }

  waitingOf(owner: string): number {
    return this.waiting.filter((item) => item.owner === owner && !isLight(item.lane)).length;
  }

  stats(): QueueStats {
    return {
      queued: this.waiting.length,
      maxQueued: this.limits.waiting,
      running: countBy(this.running, ({ lane }) => lane).get('work') ?? 0,
      maxRunning: this.limits.lanes.work,
      draining: this.draining,
    };
  }

  drain(): void {
    this.draining = true;
  }

  onMoved(listener: () => void): void {
    this.listeners.push(listener);
  }

  /** To be called after every change. */
  private startWhatCan(): void {
    for (let item = this.next(); item; item = this.next()) this.startOne(item);
    this.positions = undefined;
    this.telling ??= setTimeout(() => this.tell(), TELL_EVERY_MS).unref();
  }

  private tell(): void {
    this.telling = undefined;
    for (const listener of this.listeners) listener();
  }

  private startOne(item: QueueItem): void {
    this.waiting.splice(this.waiting.indexOf(item), 1);
    this.running.add(item);
    this.served.set(item.owner, ++this.turn);
    const giveUpPlace = () => {
      item.lane = 'foreground';
      this.startWhatCan();
    };
    void item.start(giveUpPlace).finally(() => {
      this.running.delete(item);
      this.forgetIdleOwners();
      this.startWhatCan();
    });
  }

  private next(): QueueItem | undefined {
    return this.draining ? undefined : this.inOrder(this.startable())[0];
  }

  /** What has a place in its lane, that its owner's plan leaves free, and nothing before it on its repository. */
  private startable(): QueueItem[] {
    const busy = countBy(this.running, ({ lane }) => lane);
    const busyOf = countBy(this.running, ({ owner, lane }) => `${lane} ${owner}`);
    const held = new Set([...this.running].filter(({ exclusive }) => exclusive).map(({ uid }) => uid));
    return this.waiting.filter(({ lane, exclusive, uid, owner, atOnce }) => {
      const isItsTurn = !exclusive || !held.has(uid);
      if (exclusive) held.add(uid);
      const isGranted = (busyOf.get(`${lane} ${owner}`) ?? 0) < (atOnce ?? Infinity);
      return isItsTurn && isGranted && (busy.get(lane) ?? 0) < this.limits.lanes[lane];
    });
  }

  private findPositions(): Map<string, number> {
    const positions = new Map<string, number>();
    for (const lane of Object.keys(this.limits.lanes)) {
      const order = this.inOrder(this.waiting.filter((item) => item.lane === lane));
      for (const [index, { operationId }] of order.entries()) positions.set(operationId, index + 1);
    }
    return positions;
  }

  private inOrder(items: QueueItem[]): QueueItem[] {
    return fairOrder(items, { running: countBy(this.running, ({ owner }) => owner), served: this.served });
  }

  private forgetIdleOwners(): void {
    const busy = new Set([...this.running, ...this.waiting].map((item) => item.owner));
    for (const owner of this.served.keys()) if (!busy.has(owner)) this.served.delete(owner);
  }
}
