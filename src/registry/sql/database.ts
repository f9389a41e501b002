import { existsSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { DataSource } from 'typeorm';
import { Failure } from '../../contracts/failure.js';
import { FirstTables1700000000000 } from './migrations/1700000000000-first-tables.js';
import { IdempotentAnswers1700000001000 } from './migrations/1700000001000-idempotent-answers.js';
import { Owners1700000002000 } from './migrations/1700000002000-owners.js';
import { Audit1700000003000 } from './migrations/1700000003000-audit.js';
import { Patrons1700000004000 } from './migrations/1700000004000-patrons.js';
import { AuditTarget1700000005000 } from './migrations/1700000005000-audit-target.js';
import { AuditDetail1700000006000 } from './migrations/1700000006000-audit-detail.js';
import { OperationsByTime1700000007000 } from './migrations/1700000007000-operations-by-time.js';
import { TABLES } from './tables.js';

const DAMAGED = new Set(['SQLITE_NOTADB', 'SQLITE_CORRUPT']);

/**
 * Opens `DATA_DIR/station.db` and brings it up to date. A damaged file is put aside, never deleted, and a new one begun:
 * the manifests then say which repositories there are.
 */
export async function openDatabase(dataDir: string, onDamaged: (keptAs: string) => void): Promise<DataSource> {
  const file = join(dataDir, 'station.db');
  try {
    return await open(file);
  } catch (error) {
    if (!DAMAGED.has(sqliteCode(error) ?? '')) throw error;
    const suffix = `.damaged-${Date.now()}`;
    for (const part of ['', '-wal', '-shm']) {
      if (existsSync(file + part)) renameSync(file + part, file + suffix + part);
    }
    onDamaged(file + suffix);
    return open(file);
  }
}

async function open(file: string): Promise<DataSource> {
  const source = new DataSource({
    type: 'better-sqlite3',
    database: file,
    enableWAL: true,
    entities: TABLES,
    migrations: [
      FirstTables1700000000000,
      IdempotentAnswers1700000001000,
      Owners1700000002000,
      Audit1700000003000,
      Patrons1700000004000,
      AuditTarget1700000005000,
      AuditDetail1700000006000,
      OperationsByTime1700000007000,
    ],
  });
  try {
    await source.initialize();
    const [check] = await source.query<{ quick_check: string }[]>('PRAGMA quick_check(1)');
    if (check?.quick_check !== 'ok') throw Object.assign(new Error('quick_check failed'), { code: 'SQLITE_CORRUPT' });
    await source.runMigrations();
    return source;
  } catch (error) {
    if (source.isInitialized) await source.destroy();
    throw error;
  }
}

/** A full disk is told as such, whoever was writing. */
export async function whileWriting<T>(write: Promise<T>): Promise<T> {
  try {
    return await write;
  } catch (error) {
    if (sqliteCode(error) !== 'SQLITE_FULL') throw error;
    throw new Failure('NO_SPACE', 'No space is left for the database in DATA_DIR', { cause: error });
  }
}

/** The code of the driver's error, also where TypeORM has wrapped it. */
export function sqliteCode(error: unknown): string | undefined {
  const { code, driverError } = error as { code?: string; driverError?: { code?: string } };
  return driverError?.code ?? code;
}
