import { join } from 'node:path';
import Database from 'better-sqlite3';

const held = new Map<string, Database.Database>();

/**
 * Takes what the file `station.lock` in the folder stands for, for this process alone, until it ends in whatever way: the
 * lock is the kernel's, so none is ever left behind. Throws an Error where another process has it.
 */
export function takeFolder(folder: string): void {
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
