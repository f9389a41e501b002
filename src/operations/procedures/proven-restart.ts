import { Injectable } from '@nestjs/common';
import { LogReader } from '../../apps/log-reader.js';
import { Failure } from '../../contracts/failure.js';
import type { UpdateOutput } from '../../contracts/operations.js';
import type { RepositoryEntry } from '../../registry/repository-entry.js';
import type { Job } from '../job.js';
import { isStoppedOnRequest } from '../returning-apps.js';
import { AppLauncher } from './app-launcher.js';
import { AppStopper } from './app-stopper.js';
import { HealthGate } from './health-gate.js';
import { InstallProcedure } from './install.procedure.js';
import { factsOf, type Attempt } from './update-attempt.js';
import { appLog, type UpdateLogs } from './update-logs.js';
import { UpdateRollback } from './update-rollback.js';
import { UpdateSettlement } from './update-settlement.js';

export interface RestartOutcome {
  restarted: boolean;
  rolledBack: false;
  logs?: UpdateLogs;
}

/** Brings a running app to the version that an update has moved the tree to, or everything back to the one before. */
@Injectable()
export class ProvenRestart {
  constructor(
    private readonly installs: InstallProcedure,
    private readonly stopper: AppStopper,
    private readonly launcher: AppLauncher,
    private readonly gate: HealthGate,
    private readonly settlement: UpdateSettlement,
    private readonly rollback: UpdateRollback,
    private readonly logs: LogReader,
  ) {}

  /** UPDATE_ROLLED_BACK, ROLLBACK_FAILED, or the reason of the abort; each tells what has become of both versions. */
  async perform(job: Job<'update'>, before: RepositoryEntry, output: UpdateOutput): Promise<RestartOutcome> {
    const installed = output.dependenciesChanged ? null : before.installed;
    const attempt: Attempt = { before, output, step: 'install', installed };
    const restarted = await this.tryNew(job, attempt);
    await this.settlement.accept(job, before, {
      ...factsOf(output),
      installed: attempt.installed,
      ...(restarted && { appCommit: output.to }),
    });
    if (!restarted) return { restarted, rolledBack: false };
    const { uid, appOperationId } = await job.entry();
    const [was, is] = await Promise.all([
      appLog(this.logs, uid, before.appOperationId),
      appLog(this.logs, uid, appOperationId),
    ]);
    return { restarted, rolledBack: false, logs: { old: was, new: is } };
  }

  /** Resolves to whether it runs: not when a caller has stopped it meanwhile. */
  private async tryNew(job: Job<'update'>, attempt: Attempt): Promise<boolean> {
    try {
      return await this.carryOut(job, attempt);
    } catch (error) {
      if (!job.signal.aborted && attempt.step !== 'install' && isStoppedOnRequest(await job.entry())) return false;
      const failure = job.signal.aborted ? (job.signal.reason as Failure) : Failure.of(error);
      throw await job.carryThrough((steady) => this.rollback.perform(steady, attempt, failure, job.signal.aborted));
    }
  }

  private async carryOut(job: Job<'update'>, attempt: Attempt): Promise<boolean> {
    const { before, output } = attempt;
    if (output.declaresDependencies && !attempt.installed) {
      const options = { production: before.installed?.production };
      attempt.installed = (await this.installs.install(job, before, options, true)).record;
    }
    attempt.step = 'stop';
    if (isStoppedOnRequest(await job.entry())) return false;
    await this.stopper.stop(job, await job.entry(), 'updating');
    attempt.step = 'start';
    const entry = await job.entry();
    if (isStoppedOnRequest(entry)) return false;
    const next = { ...entry, ...factsOf(output), installed: attempt.installed };
    const started = await this.launcher.launch(job, next, before.runOptions ?? {});
    attempt.step = 'health';
    await this.gate.pass(job, before, started);
    return true;
  }
}
