import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { STATION_CONFIG, type StationConfig } from '../config/config.js';
import { Failure } from '../contracts/failure.js';
import type { Operation } from '../contracts/shapes.js';
import { Manifests } from '../registry/manifests.js';
import { OperationHistory } from '../registry/operation-history.js';
import type { RepositoryEntry } from '../registry/repository-entry.js';
import { RepositoryRegistry } from '../registry/repository-registry.js';
import { findTree, findTreesByPrefix, killTree } from '../workers/thread/process-tree.js';
import { removeFolders } from '../workers/thread/workspace/remove-folders.js';
import { RepositoryEntries } from './repository-entries.js';
import { StationFolders } from './station-folders.js';
import { StationIsolation } from './station-isolation.js';
import { SERVER_STOPPED } from './stop-reasons.js';

const INTERRUPTED = new Failure('INTERRUPTED', 'The server stopped while the operation was in progress').toData();

/** Before the station is ready: whatever its last life has left behind is ended, cleaned and told truly. */
@Injectable()
export class RecoveryService {
  private readonly logger = new Logger('Recovery');

  constructor(
    @Inject(STATION_CONFIG) private readonly config: StationConfig,
    private readonly registry: RepositoryRegistry,
    private readonly history: OperationHistory,
    private readonly manifests: Manifests,
    private readonly folders: StationFolders,
    private readonly entries: RepositoryEntries,
    private readonly isolation: StationIsolation,
  ) {}

  async recover(): Promise<void> {
    const { stationId } = this.folders;
    const { forced } = await killTree(() => findTreesByPrefix(`${stationId}:`));
    if (forced) {
      this.logger.warn('Ended processes that the last life of the server had left');
    }
    await this.enterForgotten();
    const interrupted = await this.endInterrupted();
    for (const entry of await this.registry.list()) await this.reconcile(entry, interrupted.get(entry.uid) ?? []);
    await this.sweepFolders();
  }

  /** Repositories that have a manifest but no row: the database was lost. */
  private async enterForgotten(): Promise<void> {
    const manifests = await this.manifests.readAll((file) => this.logger.warn(`A manifest cannot be read: ${file}`));
    for (const entry of manifests) {
      if (await this.registry.find(entry.uid)) continue;
      await this.registry.insert(entry);
      this.logger.warn(`Entered ${entry.repoId} (${entry.uid}) again from its manifest`);
    }
  }

  private async endInterrupted(): Promise<Map<string, Operation[]>> {
    const byRepository = new Map<string, Operation[]>();
    for (const operation of await this.history.unfinished()) {
      const { queuePosition: _, ...rest } = operation;
      await this.history.save({ ...rest, status: 'failed', error: INTERRUPTED, finishedAt: Date.now() });
      if (operation.status !== 'running') continue;
      byRepository.set(operation.uid, [...(byRepository.get(operation.uid) ?? []), operation]);
    }
    return byRepository;
  }

  private async reconcile(entry: RepositoryEntry, interrupted: Operation[]): Promise<void> {
    if (entry.state === 'cloning') {
      await this.entries.withdraw(entry);
      return;
    }
    await this.removeGitLocks(entry);
    const { isolation, network, limits } = this.isolation.planFor(entry);
    const changes: Partial<RepositoryEntry> = { isolation, network, limits };
    if (entry.state === 'running') {
      // Members that have cleared their environment do not carry the station's marker any more.
      const { appTree } = entry;
      if (appTree) await killTree(() => findTree(appTree));
      const stoppedAt = Date.now();
      const app = entry.app && { ...entry.app, pid: null, ready: false, stoppedAt, stopReason: SERVER_STOPPED };
      Object.assign(changes, { state: 'stopped', app, appTree: null });
    }
    // An install or unload that was cut off leaves a tree that nobody can vouch for.
    const cutOff = interrupted.find(({ operation }) => operation === 'install' || operation === 'unload');
    if (cutOff) {
      const stateReason = { code: INTERRUPTED.code, message: `The server stopped during ${cutOff.operation}` };
      Object.assign(changes, { state: 'error', installed: null, stateReason });
    }
    await this.registry.update(entry.uid, changes);
  }

  /** No git can be running now, so a lock belongs to one that was killed. */
  private async removeGitLocks(entry: RepositoryEntry): Promise<void> {
    const git = join(this.folders.pathsOf(entry).workspace, '.git');
    const names = await readdir(git).catch(() => []);
    for (const name of names.filter((one) => one.endsWith('.lock'))) await rm(join(git, name), { force: true });
  }

  /** Staging folders of clones that were cut off, and homes of repositories that are gone. */
  private async sweepFolders(): Promise<void> {
    const known = new Set((await this.registry.list()).map(({ uid }) => uid));
    for (const name of ['.staging', '.homes']) {
      const folder = join(this.config.workspaceDir, name);
      for (const uid of await readdir(folder).catch(() => [])) {
        if (name === '.homes' && known.has(uid)) continue;
        await removeFolders([join(folder, uid)]).catch(() =>
          this.logger.warn(`${join(folder, uid)} could not be removed`),
        );
      }
    }
  }
}
