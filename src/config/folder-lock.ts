import { join } from 'node:path';
import Database from 'better-sqlite3';

const held = new Map<string, Database.Database>();

/**
 * Takes an exclusive lock on `station.lock` in the folder. The kernel releases it however this process ends, so no stale
 * lock is ever left. Throws an Error where another process has it.
 */
export function lockFolder(folder: string): void {
  if (held.has(folder)) return;
  const lock = new Database(join(folder, 'station.lock'), { timeout: 0 });
  try {
    lock.pragma('journal_mode = MEMORY'); // nothing is ever written
    lock.exec('BEGIN EXCLUSIVE');
    held.set(folder, lock);
  } catch (error) {
    lock.close();
    if ((error as { code?: string }).code === 'SQLITE_BUSY')
      throw new Error('another process has it', { cause: error });
    // A file system without locks: whoever uses one has to see to it that there is one station only.
  }
}
