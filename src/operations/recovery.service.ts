import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { AuditTrail } from '../auth/audit/audit-trail.service.js';
import { STATION_CONFIG, type StationConfig } from '../config/config.js';
import { Failure } from '../contracts/failure.js';
import type { OperationContract, RecoverOutput, SettleOutput, ThreadOperation } from '../contracts/operations.js';
import type { Operation } from '../contracts/shapes.js';
import { Manifests } from '../registry/manifests.js';
import { OperationHistory } from '../registry/operation-history.js';
import type { RepositoryEntry } from '../registry/repository-entry.js';
import { RepositoryRegistry } from '../registry/repository-registry.js';
import { killTree } from '../machine/end-tree.js';
import { findTree, findTreesByPrefix } from '../machine/process-tree.js';
import { removeFolders } from '../machine/remove-folders.js';
import { readJournal, type UpdateJournal } from '../workers/thread/update/update-journal.js';
import { WorkerPoolService } from '../workers/worker-pool.service.js';
import { OperationQueue } from './operation-queue.js';
import { InstallProcedure } from './procedures/install.procedure.js';
import { RepositoryChanges } from './repository-changes.js';
import { RepositoryEntries } from './repository-entries.js';
import { isStoppedOnRequest } from './returning-apps.js';
import { StationFolders } from './station-folders.js';
import { StationIsolation } from './station-isolation.js';

const INTERRUPTED = new Failure('INTERRUPTED', 'The server stopped while the operation was in progress').toData();

/** For a look at what an update has left of one repository. */
const LOOK_MS = 10_000;
/** Undoing is not cut off but for good: it may have a large tree to write. */
const UNDO_MS = 3_600_000;
/** What is not undone by then goes on while the station serves. */
const START_WITHIN_MS = 3_000;

/**
 * Runs before the station is ready: ends processes that the last life of the server has left, cleans up, and corrects what
 * is recorded. A repository that cannot be recovered blocks neither the others nor the start; nor does one that takes its
 * time, but what is asked of that one waits.
 */
@Injectable()
export class RecoveryService {
  private readonly logger = new Logger('Recovery');
  /** Repositories whose update is still being undone. */
  private readonly late = new Map<string, Promise<void>>();
  private patience: Promise<void> | undefined;

  constructor(
    @Inject(STATION_CONFIG) private readonly config: StationConfig,
    private readonly registry: RepositoryRegistry,
    private readonly history: OperationHistory,
    private readonly manifests: Manifests,
    private readonly folders: StationFolders,
    private readonly entries: RepositoryEntries,
    private readonly isolation: StationIsolation,
    private readonly pool: WorkerPoolService,
    private readonly audit: AuditTrail,
    private readonly queue: OperationQueue,
    private readonly changes: RepositoryChanges,
    private readonly installs: InstallProcedure,
  ) {}

  /** Resolves to what is still being undone, by the uid of its repository. None of it rejects. */
  async recover(): Promise<ReadonlyMap<string, Promise<void>>> {
    const { stationId } = this.folders;
    const { forced } = await killTree(() => findTreesByPrefix(`${stationId}:`));
    if (forced) {
      this.logger.warn('Ended processes that the last life of the server had left');
    }
    await this.enterForgotten();
    // Before anything is started that needs a folder there.
    await this.sweepFolders();
    const interrupted = await this.endInterrupted();
    for (const entry of await this.registry.list()) {
      await this.attempt(entry.repoId, () => this.reconcile(entry, interrupted.get(entry.uid) ?? []));
    }
    return this.late;
  }

  /** Repositories that have a manifest but no row: the database was lost. */
  private async enterForgotten(): Promise<void> {
    const manifests = await this.manifests.readAll((file) => this.logger.warn(`A manifest cannot be read: ${file}`));
    for (const entry of manifests) {
      await this.attempt(entry.repoId, async () => {
        if (await this.registry.find(entry.uid)) return;
        await this.registry.insert(entry);
        this.logger.warn(`Entered ${entry.repoId} (${entry.uid}) again from its manifest`);
      });
    }
  }

  private async endInterrupted(): Promise<Map<string, Operation[]>> {
    const byRepository = new Map<string, Operation[]>();
    for (const operation of await this.history.unfinished()) {
      const { queuePosition: _, ...rest } = operation;
      const ended: Operation = { ...rest, status: 'failed', error: INTERRUPTED, finishedAt: Date.now() };
      await this.history.save(ended);
      await this.audit.concluded(ended);
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
    const { isolation, network, limits } = this.isolation.planFor(entry);
    const changes: Partial<RepositoryEntry> = { isolation, network, limits };
    if (entry.state === 'running') {
      // Members that have cleared their environment do not carry the station's marker any more.
      const { appTree } = entry;
      if (appTree) await killTree(() => findTree(appTree));
      const stoppedAt = Date.now();
      const ended = { pid: null, url: null, ready: false, stoppedAt, stopReason: 'server-stopped' } as const;
      Object.assign(changes, { state: 'stopped', app: entry.app && { ...entry.app, ...ended }, appTree: null });
    }
    const update = interrupted.find(({ operation }) => operation === 'update');
    const journal = this.unsettled(entry);
    // An install or unload that was cut off leaves a tree that nobody can vouch for.
    const cutOff = interrupted.find(({ operation }) => operation === 'install' || operation === 'unload');
    if (cutOff) Object.assign(changes, outOfOrder(cutOff));
    else if (update && !journal) Object.assign(changes, await this.afterUpdate(entry, update));
    await this.registry.update(entry.uid, changes);
    if (journal && !cutOff) await this.undoInTurn({ ...entry, ...changes }, journal);
  }

  private async undoInTurn(entry: RepositoryEntry, journal: UpdateJournal): Promise<void> {
    const { uid, owner } = entry;
    let isLate = false;
    const undone = this.attempt(entry.repoId, async () => {
      const changed = await this.registry.update(uid, await this.undoUpdate(entry, journal));
      if (changed && isLate) this.changes.tell(changed, 'state');
    });
    this.patience ??= delay(START_WITHIN_MS, undefined, { ref: false });
    isLate = await Promise.race([undone.then(() => false), this.patience.then(() => true)]);
    if (!isLate) return;
    this.logger.warn(`An update of ${entry.repoId} is still being undone`);
    this.late.set(uid, undone);
    const { operationId } = journal;
    this.queue.add({ operationId, uid, owner, lane: 'foreground', atOnce: null, exclusive: true, start: () => undone });
  }

  /** An update that was not accepted: all is as it was before it, and an app that it was to restart runs again. */
  private async undoUpdate(entry: RepositoryEntry, journal: UpdateJournal): Promise<Partial<RepositoryEntry>> {
    const { failure, commit, dependencies } = await this.putBack(entry, journal);
    if (failure?.code === 'DRAINING') throw Failure.from(failure); // the next start undoes it
    if (failure || dependencies === 'lost') {
      const cause = failure ? `, and the version before it could not be put back: ${failure.message}` : '';
      const stateReason = { code: INTERRUPTED.code, message: `The server stopped during update${cause}` };
      return { state: 'error', stateReason, installed: null, commit: commit ?? entry.commit };
    }
    this.logger.warn(`Undid an update of ${entry.repoId} that was cut off`);
    const back = { commit: commit ?? entry.commit };
    const now = await this.registry.find(entry.uid);
    if (now && isNotUndone(now)) return { ...back, state: 'cloned', stateReason: null };
    if (!now || !journal.restarts || isStoppedOnRequest(now)) return back;
    const ended = { pid: null, url: null, ready: false, stopReason: 'server-stopped' } as const;
    return {
      ...back,
      state: 'stopped',
      stateReason: null,
      app: entry.app && { ...entry.app, ...ended },
      appTree: null,
    };
  }

  private async putBack(entry: RepositoryEntry, { operationId }: UpdateJournal): Promise<SettleOutput> {
    const settle = (rebuilds: boolean) =>
      this.inThread(entry, operationId, 'settle', { accepted: false, rebuilds, mayTryAgain: true }, UNDO_MS);
    try {
      const settled = await settle(entry.installed !== null);
      if (settled.build !== 'lost') return settled;
      await this.buildAgain(entry, operationId);
      return await settle(false);
    } catch (error) {
      return { failure: Failure.of(error).toData(), commit: null, dependencies: 'lost', build: 'untouched' };
    }
  }

  /** As a rollback does while the server lives: what the old version builds when it is installed was lost. */
  private async buildAgain(entry: RepositoryEntry, operationId: string): Promise<void> {
    const input = this.installs.inputAsBefore(entry, true);
    await this.inThread(entry, operationId, 'install', input, this.config.workerTimeoutMs);
  }

  /** An update that has not begun to move the tree, or has done with it: the tree tells where it stands. */
  private async afterUpdate(entry: RepositoryEntry, update: Operation): Promise<Partial<RepositoryEntry>> {
    try {
      const { commit, branch, declaresDependencies, dependenciesChanged } = await this.lookAt(entry, update);
      return {
        commit,
        declaresDependencies,
        ...(branch !== null && ({ branch, refKind: 'branch' } as const)),
        ...(dependenciesChanged && { installed: null }),
        ...(dependenciesChanged && entry.state !== 'running' && ({ state: 'cloned', stateReason: null } as const)),
      };
    } catch (error) {
      this.logger.warn(`What an update has left of ${entry.repoId} cannot be read: ${String(error)}`);
      return outOfOrder(update);
    }
  }

  private lookAt(entry: RepositoryEntry, { operationId }: Operation): Promise<RecoverOutput> {
    const input = { installedFingerprint: entry.installed?.fingerprint };
    return this.inThread(entry, operationId, 'recover', input, LOOK_MS);
  }

  private async inThread<K extends ThreadOperation>(
    entry: RepositoryEntry,
    operationId: string,
    operation: K,
    input: OperationContract[K]['input'],
    patienceMs: number,
  ): Promise<OperationContract[K]['output']> {
    const context = this.folders.contextOf(entry, operationId, this.isolation.planFor(entry));
    const run = this.pool.start({ operation, context, input, onMessage: () => undefined });
    const failure = new Failure('TIMED_OUT', `It took longer than ${patienceMs} ms`);
    const timeout = setTimeout(() => run.abort(failure), patienceMs);
    try {
      return await run.output;
    } finally {
      clearTimeout(timeout);
      await run.ended;
    }
  }

  /** Staging folders of clones that were cut off, and homes of repositories that are gone; not what undoes an update. */
  private async sweepFolders(): Promise<void> {
    const entries = await this.registry.list();
    const known = new Set(entries.map(({ uid }) => uid));
    const needed = new Set(entries.filter((entry) => this.unsettled(entry)).map(({ uid }) => uid));
    for (const name of ['.staging', '.homes']) {
      const folder = join(this.config.workspaceDir, name);
      for (const uid of await readdir(folder).catch(() => [])) {
        if (name === '.homes' ? known.has(uid) : needed.has(uid)) continue;
        await this.attempt(uid, () => removeFolders([join(folder, uid)]));
      }
    }
  }

  /** Of an update that was not accepted: what undoes it. */
  private unsettled(entry: RepositoryEntry): UpdateJournal | undefined {
    const journal = readJournal(this.folders.pathsOf(entry).staging);
    return journal?.operationId === entry.lastUpdate ? undefined : journal;
  }

  private async attempt(name: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.logger.warn(`${name} could not be put in order: ${String(error)}`);
    }
  }
}

/** An earlier attempt has failed, and nobody has made do with what it has left. */
const isNotUndone = ({ state, stateReason, installed }: RepositoryEntry): boolean =>
  state === 'error' && !installed && (stateReason?.code === 'INTERRUPTED' || stateReason?.code === 'ROLLBACK_FAILED');

function outOfOrder({ operation }: Operation): Partial<RepositoryEntry> {
  const stateReason = { code: INTERRUPTED.code, message: `The server stopped during ${operation}` };
  return { state: 'error', installed: null, stateReason };
}
