import { Injectable } from '@nestjs/common';
import type { InstallInput, InstallOutput } from '../../contracts/operations.js';
import { LIMIT_CODES } from '../../contracts/failure-codes.js';
import { Failure } from '../../contracts/failure.js';
import type { RepositoryState } from '../../contracts/repository-states.js';
import type { RepositoryEntry } from '../../registry/repository-entry.js';
import type { InstallOptions } from '../../contracts/operation-options.js';
import type { AnyJob, Job, Procedure } from '../job.js';
import { RepositoryChanges } from '../repository-changes.js';
import { isToReturn } from '../returning-apps.js';
import { StationIsolation } from '../station-isolation.js';
import { StationTools } from '../station-tools.js';

/** Any state → `ready`, but a running app stays `running`; failed → `error`; cancelled → `cloned`. */
@Injectable()
export class InstallProcedure implements Procedure<'install'> {
  constructor(
    private readonly changes: RepositoryChanges,
    private readonly tools: StationTools,
    private readonly isolation: StationIsolation,
  ) {}

  async perform(job: Job<'install'>): Promise<unknown> {
    const entry = await job.entry();
    this.isolation.requireFor(entry);
    const { operationId } = job.operation;
    const running = async () => (await job.entry()).state === 'running';
    try {
      const { result, record } = await this.install(job, entry, job.options);
      // One that is about to return does so from `stopped`.
      const state = (await running()) || isToReturn(await job.entry()) ? {} : ({ state: 'ready' } as const);
      await this.changes.apply(entry.uid, { installed: record, ...state }, { operationId });
      return result;
    } catch (error) {
      const { code, message } = Failure.of(error);
      const state: RepositoryState = code === 'CANCELLED' ? 'cloned' : 'error';
      const change = (await running()) ? { installed: null } : { installed: null, state };
      const reason = code === 'CANCELLED' ? undefined : { code, message };
      const changed = await this.changes.apply(entry.uid, change, { operationId, reason });
      if (changed && LIMIT_CODES.some((one) => one === code))
        this.changes.tell(changed, 'limit', { operationId, reason });
      throw error;
    }
  }

  /** In its thread; also what an update with restart needs. SANDBOX_UNAVAILABLE where it must not run. */
  async install(
    job: AnyJob,
    entry: RepositoryEntry,
    options: InstallOptions,
    keepsPrevious = false,
  ): Promise<InstallOutput> {
    this.isolation.requireFor(entry);
    return job.thread('install', entry, { ...this.inputFor(entry, options), keepsPrevious });
  }

  /** To install it once more as it was before. SANDBOX_UNAVAILABLE where that must not be. */
  inputAsBefore(entry: RepositoryEntry, keepsPrevious: boolean): InstallInput {
    this.isolation.requireFor(entry);
    const { production, packageManager } = entry.installed ?? {};
    return { ...this.inputFor(entry, { production, packageManager: packageManager?.name }), keepsPrevious };
  }

  private inputFor({ defaults }: RepositoryEntry, options: InstallOptions): InstallInput {
    return {
      packageManager: options.packageManager ?? defaults.packageManager,
      production: options.production ?? defaults.production ?? false,
      strictEngines: options.strictEngines ?? false,
      ignoreScripts: options.ignoreScripts ?? false,
      toolchain: this.tools.access,
    };
  }
}
