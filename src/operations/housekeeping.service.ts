import { readdir, rm, rmdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { OperationHistory } from '../registry/operation-history.js';
import { RepositoryRegistry } from '../registry/repository-registry.js';
import { Idempotency } from './idempotency.js';
import { StationFolders } from './station-folders.js';

const HOUR_MS = 60 * 60 * 1000;
const DAY_MS = 24 * HOUR_MS;
const HISTORY_MS = 30 * DAY_MS;

/** Forgets what has been kept long enough: history and its logs, idempotency keys. At start, and every hour. */
@Injectable()
export class Housekeeping implements OnApplicationShutdown {
  private readonly logger = new Logger('Housekeeping');
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly registry: RepositoryRegistry,
    private readonly history: OperationHistory,
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
      await this.sweepLogs();
      await this.idempotency.prune();
    } catch (error) {
      this.logger.warn(`Not everything could be forgotten: ${String(error)}`);
    }
  }

  /** Logs that nobody can ask for any more: their operations have no record, such as of apps that an update restarted. */
  private async sweepLogs(): Promise<void> {
    const { logs } = this.folders;
    for (const uid of await readdir(logs).catch(() => [])) {
      const kept = new Set([...(await this.history.idsOf(uid)), (await this.registry.find(uid))?.appOperationId]);
      for (const id of await readdir(join(logs, uid))) {
        const folder = join(logs, uid, id);
        if (!kept.has(id) && (await isOld(folder))) await rm(folder, { recursive: true, force: true });
      }
      await rmdir(join(logs, uid)).catch(() => undefined); // there are others in it
    }
  }
}

/** One that is younger may be written to: on a full disk its operation has no record yet. */
async function isOld(folder: string): Promise<boolean> {
  const { mtimeMs } = await stat(folder);
  return Date.now() - mtimeMs > DAY_MS;
}
