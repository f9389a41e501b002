import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { OperationHistory } from '../registry/operation-history.js';
import { RepositoryRegistry } from '../registry/repository-registry.js';
import { Idempotency } from './idempotency.js';
import { StationFolders } from './station-folders.js';

const HOUR_MS = 60 * 60 * 1000;
const HISTORY_MS = 30 * 24 * HOUR_MS;

/** Forgets what has been kept long enough: history and its logs, idempotency keys. At start, and every hour. */
@Injectable()
export class Housekeeping implements OnApplicationShutdown {
  private readonly logger = new Logger('Housekeeping');
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly history: OperationHistory,
    private readonly registry: RepositoryRegistry,
    private readonly idempotency: Idempotency,
    private readonly folders: StationFolders,
  ) {}

  async begin(): Promise<void> {
    await this.sweep();
    this.timer = setInterval(() => void this.sweep(), HOUR_MS).unref();
  }

  onApplicationShutdown(): void {
    clearInterval(this.timer);
  }

  /** Never rejects: a full disk must not keep the server from starting. */
  private async sweep(): Promise<void> {
    try {
      for (const { uid, operationId } of await this.history.prune(Date.now() - HISTORY_MS)) {
        await rm(this.folders.logOf(uid, operationId), { recursive: true, force: true });
      }
      await this.sweepLogsOfRuns(Date.now() - HISTORY_MS);
      await this.idempotency.prune();
    } catch (error) {
      this.logger.warn(`Not everything could be forgotten: ${String(error)}`);
    }
  }

  /** Apps that an update has started have a log, but no operation with which it would be forgotten. */
  private async sweepLogsOfRuns(before: number): Promise<void> {
    const { logs } = this.folders;
    const lasting = new Set((await this.registry.list()).map(({ appOperationId }) => appOperationId));
    for (const uid of await readdir(logs).catch(() => [])) {
      for (const id of await readdir(join(logs, uid))) {
        const folder = this.folders.logOf(uid, id);
        if (lasting.has(id) || (await stat(folder)).mtimeMs > before || (await this.history.find(id))) continue;
        await rm(folder, { recursive: true, force: true });
      }
    }
  }
}
