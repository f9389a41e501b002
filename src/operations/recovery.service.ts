import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { STATION_CONFIG, type StationConfig } from '../config/config.js';
import { Failure } from '../contracts/failure.js';
import type { SettleOutput } from '../contracts/operations.js';
import type { Operation, StateReason } from '../contracts/shapes.js';
import { Manifests } from '../registry/manifests.js';
import { OperationHistory } from '../registry/operation-history.js';
import type { RepositoryEntry } from '../registry/repository-entry.js';
import { RepositoryRegistry } from '../registry/repository-registry.js';
import { findTree, findTreesByPrefix, killTree } from '../workers/thread/process-tree.js';
import { readJournal, type UpdateJournal } from '../workers/thread/workspace/update-journal.js';
import { WorkerPoolService } from '../workers/worker-pool.service.js';
import { RepositoryEntries } from './repository-entries.js';
import { StationFolders } from './station-folders.js';
import { isStoppedOnRequest } from './returning-apps.js';
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
    private readonly pool: WorkerPoolService,
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
    const changes: Partial<RepositoryEntry> = {};
    if (entry.state === 'running') {
      // Members that have cleared their environment do not carry the station's marker any more.
      const { appTree } = entry;
      if (appTree) await killTree(() => findTree(appTree));
      const stoppedAt = Date.now();
      const app = entry.app && { ...entry.app, pid: null, ready: false, stoppedAt, stopReason: SERVER_STOPPED };
      Object.assign(changes, { state: 'stopped', app, appTree: null });
    }
    Object.assign(changes, await this.undoUpdate({ ...entry, ...changes }));
    // An install or unload that was cut off leaves a tree that nobody can vouch for.
    const cutOff = interrupted.find(({ operation }) => operation === 'install' || operation === 'unload');
    if (cutOff) {
      const stateReason = { code: INTERRUPTED.code, message: `The server stopped during ${cutOff.operation}` };
      Object.assign(changes, { state: 'error', installed: null, stateReason });
    }
    if (Object.keys(changes).length > 0) await this.registry.update(entry.uid, changes);
  }

  /** An update that was cut off before it was accepted: all is as it was before, and an app that it was to restart runs again. */
  private async undoUpdate(entry: RepositoryEntry): Promise<Partial<RepositoryEntry>> {
    const journal = readJournal(this.folders.pathsOf(entry).staging);
    if (!journal || journal.operationId === entry.lastUpdate) return {};
    const { failure, commit, dependencies } = await this.putBack(entry, journal);
    if (failure || dependencies === 'lost') {
      const cause = failure ? `, and the version before it could not be put back: ${failure.message}` : '';
      const stateReason: StateReason = { code: INTERRUPTED.code, message: `The server stopped during update${cause}` };
      return { state: 'error', stateReason, installed: null, commit: commit ?? entry.commit };
    }
    this.logger.warn(`Undid an update of ${entry.repoId} that was cut off`);
    if (!journal.restarts || isStoppedOnRequest(entry)) return {};
    return {
      state: 'stopped',
      stateReason: null,
      app: entry.app && { ...entry.app, pid: null, stopReason: SERVER_STOPPED },
      appTree: null,
    };
  }

  private async putBack(entry: RepositoryEntry, { operationId }: UpdateJournal): Promise<SettleOutput> {
    const context = this.folders.contextOf(entry, operationId);
    const run = this.pool.start({
      operation: 'settle',
      context,
      input: { accepted: false },
      onMessage: () => undefined,
    });
    try {
      return await run.output;
    } catch (error) {
      return { failure: Failure.of(error).toData(), commit: null, dependencies: 'lost' };
    } finally {
      await run.ended;
    }
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
        await rm(join(folder, uid), { recursive: true, force: true });
      }
    }
  }
}
