import { Injectable } from '@nestjs/common';
import { Failure } from '../contracts/failure.js';

/**
 * Which of the station's hands carry an operation out. Light ones never wait behind heavy ones:
 * `work` is clone, install, update and start, at most MAX_WORKERS of them; `read` is status; `control` is stop and
 * unload; `foreground` is a run that is waited for to its end: it holds its repository, but no place among the workers.
 */
export type Lane = 'work' | 'read' | 'control' | 'foreground';

export interface QueueItem {
  operationId: string;
  uid: string;
  owner: string;
  lane: Lane;
  /** One of these at a time per repository, in the order of arrival. */
  exclusive: boolean;
  /** Carries it out. The place is free again when this settles. Never rejects. */
  start(): Promise<void>;
}

export interface QueueStats {
  queued: number;
  running: number;
  limit: number;
  draining: boolean;
}

/** Decides what starts when. A port: its token is this class. */
export abstract class OperationQueue {
  /** Rejects by throwing QUEUE_FULL or DRAINING. */
  abstract add(item: QueueItem): void;
  /** Takes a waiting item out; false when it has started or is unknown. */
  abstract remove(operationId: string): boolean;
  /** 1 is next; undefined when it does not wait. */
  abstract position(operationId: string): number | undefined;
  abstract stats(): QueueStats;
  /** From now on nothing is added, and what waits stays waiting. */
  abstract drain(): void;
  /** Calls back when positions may have changed. */
  abstract onMoved(listener: () => void): void;
}

export interface QueueLimits {
  lanes: Record<Lane, number>;
  /** How many may wait, in each lane. */
  waiting: number;
}

const RETRY_AFTER_SECONDS = 5;

/**
 * Fair between owners: next is the owner with the fewest operations running, then the one served longest ago, then the
 * order of arrival. Within a repository the order of arrival always holds.
 */
@Injectable()
export class InProcessOperationQueue extends OperationQueue {
  private readonly waiting: QueueItem[] = [];
  private readonly running = new Set<QueueItem>();
  private readonly served = new Map<string, number>();
  private readonly listeners: (() => void)[] = [];
  private turn = 0;
  private draining = false;

  constructor(private readonly limits: QueueLimits) {
    super();
  }

  add(item: QueueItem): void {
    if (this.draining) throw new Failure('DRAINING', 'The server is shutting down and takes no new operation');
    this.waiting.push(item);
    this.startWhatCan();
    const behind = this.waiting.filter((one) => one.lane === item.lane).length;
    if (this.waiting.includes(item) && behind > this.limits.waiting) {
      this.remove(item.operationId);
      throw new Failure('QUEUE_FULL', `${this.limits.waiting} operations are waiting already`, {
        context: { limit: this.limits.waiting, use: this.limits.waiting, retryAfterSeconds: RETRY_AFTER_SECONDS },
      });
    }
    this.moved();
  }

  remove(operationId: string): boolean {
    const index = this.waiting.findIndex((item) => item.operationId === operationId);
    if (index < 0) return false;
    this.waiting.splice(index, 1);
    this.startWhatCan();
    this.moved();
    return true;
  }

  position(operationId: string): number | undefined {
    const item = this.waiting.find((one) => one.operationId === operationId);
    return item && this.inOrder(item.lane).indexOf(item) + 1;
  }

  stats(): QueueStats {
    const working = [...this.running].filter((item) => item.lane === 'work').length;
    return {
      queued: this.waiting.length,
      running: working,
      limit: this.limits.lanes.work,
      draining: this.draining,
    };
  }

  drain(): void {
    this.draining = true;
  }

  onMoved(listener: () => void): void {
    this.listeners.push(listener);
  }

  private startWhatCan(): void {
    for (let item = this.next(); item; item = this.next()) this.startOne(item);
  }

  private startOne(item: QueueItem): void {
    this.waiting.splice(this.waiting.indexOf(item), 1);
    this.running.add(item);
    this.served.set(item.owner, ++this.turn);
    void item.start().finally(() => {
      this.running.delete(item);
      this.forgetIdleOwners();
      this.startWhatCan();
      this.moved();
    });
  }

  private next(): QueueItem | undefined {
    if (this.draining) return undefined;
    const startable = this.waiting.filter((item) => this.hasPlace(item.lane) && this.isItsTurn(item));
    return this.fairest(startable, this.runningByOwner());
  }

  private hasPlace(lane: Lane): boolean {
    return [...this.running].filter((item) => item.lane === lane).length < this.limits.lanes[lane];
  }

  private isItsTurn(item: QueueItem): boolean {
    if (!item.exclusive) return true;
    const sameRepository = (one: QueueItem) => one.exclusive && one.uid === item.uid;
    return ![...this.running].some(sameRepository) && this.waiting.find(sameRepository) === item;
  }

  /** The order in which the waiting items of a lane would start if each took the same time. */
  private inOrder(lane: Lane): QueueItem[] {
    const left = this.waiting.filter((item) => item.lane === lane);
    const counts = this.runningByOwner();
    const order: QueueItem[] = [];
    for (let item = this.fairest(left, counts); item; item = this.fairest(left, counts)) {
      order.push(item);
      left.splice(left.indexOf(item), 1);
      counts.set(item.owner, (counts.get(item.owner) ?? 0) + 1);
    }
    return order;
  }

  private fairest(items: QueueItem[], running: Map<string, number>): QueueItem | undefined {
    const rank = (item: QueueItem) => [running.get(item.owner) ?? 0, this.served.get(item.owner) ?? 0] as const;
    return items.reduce<QueueItem | undefined>((best, item) => {
      if (!best) return item;
      const [count, served] = rank(item);
      const [bestCount, bestServed] = rank(best);
      return count < bestCount || (count === bestCount && served < bestServed) ? item : best;
    }, undefined);
  }

  private runningByOwner(): Map<string, number> {
    const counts = new Map<string, number>();
    for (const { owner } of this.running) counts.set(owner, (counts.get(owner) ?? 0) + 1);
    return counts;
  }

  private forgetIdleOwners(): void {
    const busy = new Set([...this.running, ...this.waiting].map((item) => item.owner));
    for (const owner of this.served.keys()) if (!busy.has(owner)) this.served.delete(owner);
  }

  private moved(): void {
    for (const listener of this.listeners) listener();
  }
}
