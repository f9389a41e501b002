import { Injectable, Logger } from '@nestjs/common';
import createDebug from 'debug';
import type { RepoEvent, RepoNotification, RepoProgress } from '../contracts/events.js';
import { mayBecome } from '../contracts/repository-states.js';
import type { Operation, StateReason, Visibility } from '../contracts/shapes.js';
import { EventBus, type Audience } from '../events/event-bus.js';
import type { RepositoryEntry } from '../registry/repository-entry.js';
import { RepositoryRegistry } from '../registry/repository-registry.js';

const debug = createDebug('repo-manager:state');

/** Event numbers are reserved so many at a time: after a crash counting goes on behind them, and none is used twice. */
const RESERVED = 1_000;

interface Cause {
  operationId?: string;
  reason?: StateReason;
}

/** Changes a repository and tells of it: the one place where a state changes, and where events get their numbers. */
@Injectable()
export class RepositoryChanges {
  private readonly logger = new Logger('Operations');
  /** The last number that was used, and the last one that is reserved. */
  private readonly seqs = new Map<string, { used: number; reserved: number }>();
  /** Where it has changed: an operation tells of the repository as it was when the operation was asked for. */
  private readonly visibilities = new Map<string, Visibility>();
  /** Unloaded, but operations that were asked for before have still to tell how they ended. */
  private readonly gone = new Set<string>();

  constructor(
    private readonly registry: RepositoryRegistry,
    private readonly bus: EventBus,
  ) {}

  /** Undefined when the repository is gone. A state that may not follow the present one is a programming error. */
  async apply(
    uid: string,
    changes: Partial<RepositoryEntry>,
    { operationId, reason }: Cause = {},
  ): Promise<RepositoryEntry | undefined> {
    const { state, visibility } = changes;
    let stateBefore = state;
    const after = await this.registry.update(uid, (before) => {
      stateBefore = before.state;
      if (state && !mayBecome(before.state, state)) throw new Error(`${before.state} may not become ${state}`);
      return { ...changes, ...(state && { stateReason: reason ?? null }) };
    });
    if (!after) return undefined;
    if (visibility) this.visibilities.set(uid, visibility);
    if (state && stateBefore && state !== stateBefore) {
      debug('%s %s: %s → %s %s', operationId ?? '-', after.repoId, stateBefore, state, reason?.message ?? '');
      this.send(after, this.nextSeq(after), 'state', stateBefore, { operationId, reason });
    }
    return after;
  }

  /** An event that changes no state. */
  tell(entry: RepositoryEntry, type: RepoEvent['type'], cause: Cause = {}): void {
    this.send(entry, this.nextSeq(entry), type, entry.state, cause);
  }

  /** The last event of a repository, once. What is told of its operations afterwards is numbered on, until `settled`. */
  unloaded(entry: RepositoryEntry, operationId: string): void {
    if (this.gone.has(entry.uid)) return;
    this.gone.add(entry.uid);
    this.tell(entry, 'unloaded', { operationId });
  }

  /** No operation on the repository is left: of one that is gone nothing more is told. */
  settled(uid: string): void {
    if (!this.gone.delete(uid)) return;
    this.seqs.delete(uid);
    this.visibilities.delete(uid);
  }

  progress(entry: RepositoryEntry, operation: Operation, socketId?: string): void {
    const { operationId, repoId, uid, phase, percent, message, queuePosition } = operation;
    const payload: RepoProgress = {
      seq: this.nextSeq(entry),
      operationId,
      operation: operation.operation,
      repoId,
      uid,
      phase,
      percent,
      message,
      queuePosition,
    };
    this.bus.publish('progress', { audience: this.audienceNow(entry), payload, socketId });
  }

  notify(entry: RepositoryEntry, operation: Operation, socketId?: string): void {
    const { operationId, repoId, uid, status, owner } = operation;
    const payload: RepoNotification = {
      seq: this.nextSeq(entry),
      time: Date.now(),
      uid,
      repoId,
      operation: operation.operation,
      operationId,
      status,
      by: owner,
    };
    this.bus.publish('notification', { audience: this.audienceNow(entry), payload, socketId });
  }

  /** The number of the last event. */
  currentSeq(entry: RepositoryEntry): number {
    return this.seqs.get(entry.uid)?.used ?? entry.eventSeq;
  }

  private audienceNow(entry: RepositoryEntry): Audience {
    return { ...audienceOf(entry), visibility: this.visibilities.get(entry.uid) ?? entry.visibility };
  }

  private nextSeq(entry: RepositoryEntry): number {
    const used = this.currentSeq(entry) + 1;
    const reserved = this.seqs.get(entry.uid)?.reserved ?? entry.eventSeq;
    const isEnough = used + RESERVED / 2 < reserved;
    this.seqs.set(entry.uid, { used, reserved: isEnough ? reserved : used + RESERVED });
    if (!isEnough) this.reserve(entry.uid, used + RESERVED);
    return used;
  }

  private reserve(uid: string, eventSeq: number): void {
    this.registry
      .update(uid, { eventSeq })
      .catch((error: unknown) => this.logger.error(`Event numbers of ${uid} were not reserved: ${String(error)}`));
  }

  private send(
    entry: RepositoryEntry,
    seq: number,
    type: RepoEvent['type'],
    previousState: RepositoryEntry['state'] | null,
    { operationId, reason }: Cause,
  ): void {
    const { uid, repoId, state, app } = entry;
    const payload: RepoEvent = { seq, time: Date.now(), uid, repoId, type, state, previousState, reason, operationId };
    if (app) payload.app = app;
    this.bus.publish('event', { audience: this.audienceNow(entry), payload });
  }
}

export function audienceOf({ uid, owner, visibility }: RepositoryEntry): Audience {
  return { uid, owner, visibility };
}
