import { Logger } from '@nestjs/common';
import { Failure } from '../../contracts/failure.js';

const RETRY_MS = 1_000;

/**
 * Records that a full disk did not take. What has happened has happened, whether or not it can be written: an app that
 * has ended must not be said to run. They are held in memory, read from here, and written once there is space.
 */
export class Unwritten<T> {
  private readonly logger = new Logger('Registry');
  private readonly records = new Map<string, T>();
  private readonly retries = new Map<string, NodeJS.Timeout>();

  /** `retry` writes a record once more, by way of `orHold`. */
  constructor(private readonly retry: (record: T) => Promise<unknown>) {}

  get(id: string): T | undefined {
    return this.records.get(id);
  }

  forget(id: string): void {
    this.records.delete(id);
  }

  /** Resolves when the record is written, or held. Rejects with what has nothing to do with space. */
  async orHold(id: string, record: T, write: () => Promise<void>): Promise<void> {
    try {
      await write();
      this.records.delete(id);
    } catch (error) {
      if (Failure.of(error).code !== 'NO_SPACE') throw error;
      if (this.records.size === 0) this.logger.warn('The disk is full: what cannot be written is kept in memory');
      this.records.set(id, record);
      if (!this.retries.has(id)) this.retries.set(id, setTimeout(() => void this.writeAgain(id), RETRY_MS).unref());
    }
  }

  private async writeAgain(id: string): Promise<void> {
    this.retries.delete(id);
    const record = this.records.get(id);
    if (record === undefined) return;
    try {
      await this.retry(record);
    } catch (error) {
      this.logger.warn(`${id} could not be written: ${String(error)}`);
    }
  }
}
