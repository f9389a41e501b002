import { rm } from 'node:fs/promises';
import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { Idempotency } from '../idempotency/idempotency.service.js';
import { AuditStore } from '../registry/audit-store.js';
import { OperationHistory } from '../registry/operation-history.js';
import { LogKeeper } from './log-keeper.service.js';
import { StationFolders } from './station-folders.js';

const HOUR_MS = 60 * 60 * 1000;
const HISTORY_MS = 30 * 24 * HOUR_MS;
const AUDIT_MS = 90 * 24 * HOUR_MS;

/** Forgets what has been kept long enough: history and its logs, idempotency keys, the audit log. At start, and every hour. */
@Injectable()
export class Housekeeping implements OnApplicationShutdown {
  private readonly logger = new Logger('Housekeeping');
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly history: OperationHistory,
    private readonly idempotency: Idempotency,
    private readonly folders: StationFolders,
    private readonly logs: LogKeeper,
    private readonly audit: AuditStore,
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
      await this.logs.tidyAll();
      await this.idempotency.prune();
      await this.audit.prune(Date.now() - AUDIT_MS);
    } catch (error) {
      this.logger.warn(`Not everything could be forgotten: ${String(error)}`);
    }
  }
}
