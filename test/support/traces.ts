import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import type { RepositoryEntry } from '../../src/registry/repository-entry.js';
import { alive, childrenOf, processesMentioning } from './processes.mjs';
import type { Station } from './station.js';

/** Live processes that this station has started for its repositories, or for the one with this uid. */
export function processesOf({ dataDir }: Station, uid = ''): number[] {
  const stationId = readFileSync(join(dataDir, 'station-id'), 'utf8').trim();
  return processesMentioning(`DOCKING_STATION_TREE=${stationId}:${uid}`);
}

/** What lies in the station's workspace folder: workspaces by name, and all that is in the station's own folders. */
export function filesOf({ workspaceDir }: Station): string[] {
  return readdirSync(workspaceDir)
    .flatMap((name) => {
      const own = ['.homes', '.manifests', '.staging'].includes(name);
      return own ? readdirSync(join(workspaceDir, name)).map((inner) => `${name}/${inner}`) : [name];
    })
    .filter((name) => name !== '.manifests/station.lock'); // as long as the station is there
}

/** What operations have left in the staging folders, each of which is there as long as its repository. */
export const stagedOf = ({ workspaceDir }: Station): string[] => {
  const staging = join(workspaceDir, '.staging');
  const ofRepositories = readdirSync(staging).filter((name) => name.startsWith('r_'));
  return ofRepositories.flatMap((name) => readdirSync(join(staging, name)).map((inner) => `${name}/${inner}`));
};

/** Changes what a station that does not run remembers of its repositories, as a restored backup might. */
export function rewriteEntries(
  { dataDir }: Station,
  rewrite: (entries: RepositoryEntry[]) => RepositoryEntry[] | undefined,
): void {
  const database = new Database(join(dataDir, 'station.db'), { fileMustExist: true });
  try {
    const rows = database.prepare('SELECT entry FROM repositories').all() as { entry: string }[];
    const entries = rewrite(rows.map(({ entry }) => JSON.parse(entry) as RepositoryEntry)) ?? [];
    const insert = database.prepare(
      `INSERT OR REPLACE INTO repositories (uid, owner, repo_id, created_at, home_node, epoch, entry)
       VALUES (@uid, @owner, @repoId, @createdAt, @homeNode, @epoch, @entry)`,
    );
    database.transaction(() => {
      for (const entry of entries) {
        const { uid, owner, repoId, createdAt, homeNode, epoch } = entry;
        insert.run({ uid, owner, repoId, createdAt, homeNode, epoch, entry: JSON.stringify(entry) });
      }
    })();
  } finally {
    database.close();
  }
}

/** The database with its write-ahead log, as far as they exist. */
export const databaseFiles = ({ dataDir }: Station): string[] =>
  ['station.db', 'station.db-wal', 'station.db-shm'].map((name) => join(dataDir, name)).filter(existsSync);

/** Children of the process that have ended and that nobody has waited for. */
export const zombiesOf = ({ pid }: { pid: number | undefined }): number[] =>
  childrenOf(pid ?? 0).filter((child) => !alive(child));

export const openFilesOf = ({ pid }: Station): number => readdirSync(`/proc/${pid}/fd`).length;
