import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Inject, Injectable } from '@nestjs/common';
import { STATION_CONFIG, type StationConfig } from '../config/config.js';
import type { RepositoryPaths } from '../contracts/operations.js';
import { treeMarker } from '../contracts/process-tree.js';
import type { SandboxPlan } from '../contracts/sandbox-plan.js';
import type { ThreadContext } from '../contracts/worker-messages.js';
import type { RepositoryEntry } from '../registry/repository-entry.js';

/** Where everything of a repository lies, and what its threads are told of it. */
@Injectable()
export class StationFolders {
  /** Names this station's processes: two stations on one machine must not end each other's. */
  readonly stationId: string;
  readonly logs: string;
  readonly toolchains: string;

  constructor(@Inject(STATION_CONFIG) private readonly config: StationConfig) {
    this.stationId = readStationId(join(config.dataDir, 'station-id'));
    this.logs = join(config.dataDir, 'logs');
    this.toolchains = join(config.dataDir, 'toolchains');
  }

  pathsOf({ uid, workspace }: Pick<RepositoryEntry, 'uid' | 'workspace'>): RepositoryPaths {
    const root = this.config.workspaceDir;
    return {
      workspace: join(root, workspace),
      home: join(root, '.homes', uid),
      staging: join(root, '.staging', uid),
    };
  }

  logOf(uid: string, operationId: string): string {
    return join(this.logs, uid, operationId);
  }

  contextOf(entry: RepositoryEntry, operationId: string, sandbox: SandboxPlan): ThreadContext {
    const { uid, repoId } = entry;
    return {
      operationId,
      uid,
      repoId,
      paths: this.pathsOf(entry),
      marker: treeMarker(this.stationId, uid, operationId),
      log: {
        directory: this.logOf(uid, operationId),
        maxBytes: this.config.logMaxBytes,
        files: this.config.logFiles,
      },
      sandbox,
    };
  }
}

function readStationId(file: string): string {
  try {
    writeFileSync(file, `st_${randomBytes(9).toString('hex')}`, { flag: 'wx', mode: 0o600 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  return readFileSync(file, 'utf8').trim();
}
