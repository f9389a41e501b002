import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Injectable, Logger, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { LogBudget, type LogStanding } from '../apps/log-budget.js';
import { EventBus } from '../events/event-bus.js';
import { KEPT_PER_REPOSITORY, OperationHistory } from '../registry/operation-history.js';
import { RepositoryRegistry } from '../registry/repository-registry.js';
import { WorkerPoolService } from '../workers/worker-pool.service.js';
import { StationFolders } from './station-folders.js';

/** Of an unloaded repository, which is in nobody's quota any more: its history says more than its logs. */
const UNLOADED_BYTES = 256 * 1024;

/** Sees to it that the logs of a repository stay within their budget while they are written, and go when it is forgotten. */
@Injectable()
export class LogKeeper implements OnModuleInit, OnModuleDestroy {
  private readonly logger = new Logger('Logs');
  /** By uid: the bytes that may still be written before it is worth a look. Unknown before the first one. */
  private readonly room = new Map<string, number>();
  private readonly looking = new Set<string>();
  private readonly unsubscribe: (() => void)[] = [];

  constructor(
    private readonly budget: LogBudget,
    private readonly folders: StationFolders,
    private readonly events: EventBus,
    private readonly pool: WorkerPoolService,
    private readonly history: OperationHistory,
    private readonly registry: RepositoryRegistry,
  ) {}

  onModuleInit(): void {
    this.unsubscribe.push(
      this.events.subscribe('log', ({ audience: { uid }, bytes }) => this.grown(uid, bytes)),
      this.events.subscribe('notification', ({ payload: { uid, operation, status } }) => {
        if (operation === 'unload' && status === 'succeeded') void this.look(uid);
      }),
    );
  }

  onModuleDestroy(): void {
    for (const end of this.unsubscribe) end();
  }

  /** Brings all logs within their budgets, and deletes those of repositories that are no longer known. */
  async tidyAll(): Promise<void> {
    this.room.clear();
    for (const uid of await readdir(this.folders.logs).catch(() => [])) {
      if (await this.isKnown(uid)) await this.enforce(uid);
      else await rm(join(this.folders.logs, uid), { recursive: true, force: true });
    }
  }

  private grown(uid: string, bytes: number): void {
    const room = (this.room.get(uid) ?? 0) - bytes;
    this.room.set(uid, room);
    if (room < 0 && !this.looking.has(uid)) void this.look(uid);
  }

  private async look(uid: string): Promise<void> {
    this.looking.add(uid);
    try {
      await this.enforce(uid);
    } catch (error) {
      this.logger.warn(`The logs of ${uid} could not be kept within their budget: ${String(error)}`);
    } finally {
      this.looking.delete(uid);
    }
  }

  private async enforce(uid: string): Promise<void> {
    this.room.set(uid, 0); // what is written from now on counts against what is found to be left
    const maxBytes = (await this.registry.find(uid)) ? undefined : UNLOADED_BYTES;
    const left = await this.budget.enforce(uid, () => this.standings(uid), maxBytes);
    this.room.set(uid, (this.room.get(uid) ?? 0) + left);
  }

  private async standings(uid: string): Promise<(operationId: string) => LogStanding> {
    const threads = new Set(this.pool.stats().threads.map(({ operationId }) => operationId));
    const { operations } = await this.history.list({ uid, limit: KEPT_PER_REPOSITORY });
    const statuses = new Map(operations.map(({ operationId, status }) => [operationId, status]));
    return (operationId) => {
      const status = statuses.get(operationId);
      // Between two threads of an operation nobody writes its log, and yet it goes on.
      if (threads.has(operationId) || status === 'queued' || status === 'running') return 'writing';
      return status === 'failed' ? 'failed' : 'finished';
    };
  }

  private async isKnown(uid: string): Promise<boolean> {
    if (await this.registry.find(uid)) return true;
    return (await this.history.list({ uid, limit: 1 })).operations.length > 0;
  }
}
