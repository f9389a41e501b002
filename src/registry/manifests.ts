import { lstat, mkdir, open, readFile, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Logger } from '@nestjs/common';
import type { StationConfig } from '../config/config.js';
import { READABLE_MANIFEST } from '../contracts/readable-manifest.js';
import { readInside, UnreadableFile } from '../machine/read-inside.js';
import type { RepositoryEntry } from './repository-entry.js';
import type { Secrets } from './secrets.js';

/** Ours has a few hundred. */
const MAX_READABLE_BYTES = 65_536;

/**
 * One file per repository in `WORKSPACE_DIR/.manifests`, out of reach of the repository itself: from these a lost or
 * damaged database is rebuilt.
 */
export class Manifests {
  private readonly logger = new Logger('Registry');
  private readonly folder: string;

  constructor(
    private readonly config: Pick<StationConfig, 'workspaceDir'>,
    private readonly secrets: Secrets,
  ) {
    this.folder = join(config.workspaceDir, '.manifests');
  }

  async write(entry: RepositoryEntry): Promise<void> {
    const file = this.pathOf(entry.uid);
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    await replaceFile(file, `${file}.next`, packEntry(entry, this.secrets), 0o600);
    try {
      await this.writeReadable(entry);
    } catch (error) {
      // It lies where the repository can hinder it: what is remembered does not depend on it.
      this.logger.warn(`${entry.repoId} has no current ${READABLE_MANIFEST}: ${String(error)}`);
    }
  }

  async remove(uid: string): Promise<void> {
    await rm(this.pathOf(uid), { force: true });
  }

  /** Every manifest that can be read; a torn one is told to `onDamaged` and left where it is. */
  async readAll(onDamaged: (file: string) => void): Promise<RepositoryEntry[]> {
    const names = await readdir(this.folder).catch(() => []);
    const entries: RepositoryEntry[] = [];
    for (const name of names.filter((one) => one.endsWith('.json'))) {
      try {
        entries.push(unpackEntry(await readFile(join(this.folder, name), 'utf8'), this.secrets));
      } catch {
        onDamaged(join(this.folder, name));
      }
    }
    return entries;
  }

  private pathOf(uid: string): string {
    return join(this.folder, `${uid}.json`);
  }

  /** A file of that name that is not ours (the repository tracks one) is left alone. */
  private async writeReadable(entry: RepositoryEntry): Promise<void> {
    const workspace = join(this.config.workspaceDir, entry.workspace);
    const file = join(workspace, READABLE_MANIFEST);
    if (!(await isFolder(workspace)) || !isOurs(workspace, entry.uid)) return;
    const { uid, repoId, owner, repoUrl, branch, commit, state, isolation, network, createdAt, updatedAt } = entry;
    const packageManager = entry.installed?.packageManager ?? null;
    const readable = { uid, repoId, owner, repoUrl, branch, commit, state, packageManager, isolation, network };
    const content = `${JSON.stringify({ ...readable, createdAt, updatedAt }, null, 2)}\n`;
    await replaceFile(file, `${this.pathOf(uid)}.readable`, content, 0o444);
  }
}

export function packEntry(entry: RepositoryEntry, secrets: Secrets): string {
  const seal = (value: unknown) => (value === null ? null : secrets.seal(value));
  return JSON.stringify({ ...entry, credentials: seal(entry.credentials), runOptions: seal(entry.runOptions) });
}

export function unpackEntry(text: string, secrets: Secrets): RepositoryEntry {
  const packed = JSON.parse(text) as Omit<RepositoryEntry, 'credentials' | 'runOptions'> & {
    credentials: string | null;
    runOptions: string | null;
  };
  return {
    ...packed,
    credentials:
      packed.credentials === null ? null : (secrets.open(packed.credentials) as RepositoryEntry['credentials']),
    runOptions: packed.runOptions === null ? null : (secrets.open(packed.runOptions) as RepositoryEntry['runOptions']),
  };
}

/**
 * Whole or not at all: a crash or a full disk leaves the old file. Replaces a link instead of writing through it. `next`
 * is where it grows: in a folder of the station's own, so that nobody can stand in its way.
 */
async function replaceFile(file: string, next: string, content: string, mode: number): Promise<void> {
  await rm(next, { force: true });
  try {
    const handle = await open(next, 'wx', mode);
    try {
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(next, file);
  } catch (error) {
    await rm(next, { force: true });
    throw error;
  }
}

async function isFolder(path: string): Promise<boolean> {
  return lstat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

/** The repository may have put anything in its place. */
function isOurs(workspace: string, uid: string): boolean {
  try {
    const content = readInside(workspace, READABLE_MANIFEST, MAX_READABLE_BYTES);
    return !content || (JSON.parse(content.toString('utf8')) as { uid?: unknown } | null)?.uid === uid;
  } catch (error) {
    if (error instanceof UnreadableFile || error instanceof SyntaxError) return false;
    throw error;
  }
}
