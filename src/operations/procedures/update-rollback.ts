import { Injectable } from '@nestjs/common';
import { AppsService } from '../../apps/apps.service.js';
import { LogReader } from '../../apps/log-reader.js';
import { Failure } from '../../contracts/failure.js';
import type { SettleOutput } from '../../contracts/operations.js';
import type { RepositoryEntry } from '../../registry/repository-entry.js';
import type { Job } from '../job.js';
import { RepositoryChanges } from '../repository-changes.js';
import { isStoppedOnRequest } from '../returning-apps.js';
import { AppLauncher } from './app-launcher.js';
import { AppStopper } from './app-stopper.js';
import { InstallProcedure } from './install.procedure.js';
import { factsOf, type Attempt } from './update-attempt.js';
import { appLog, updateLog, type LogExcerpt } from './update-logs.js';
import { UpdateSettlement } from './update-settlement.js';

/** What has become of the old version. */
interface WayBack {
  dependencies: SettleOutput['dependencies'] | 'reinstalled';
  /** What scripts of its install make. */
  build: SettleOutput['build'] | 'rebuilt';
  /** Why it is not in its place, or does not run. */
  failure?: Failure;
}

/** Brings the version before an update back: tree, dependencies, and its app with the options that it ran with. */
@Injectable()
export class UpdateRollback {
  constructor(
    private readonly apps: AppsService,
    private readonly changes: RepositoryChanges,
    private readonly installs: InstallProcedure,
    private readonly stopper: AppStopper,
    private readonly launcher: AppLauncher,
    private readonly settlement: UpdateSettlement,
    private readonly logs: LogReader,
  ) {}

  /** Resolves to the failure that the update ends with. Rejects when the server ends, or the repository is unloaded. */
  async perform(job: Job<'update'>, attempt: Attempt, failure: Failure, aborted: boolean): Promise<Failure> {
    const { before, output, step } = attempt;
    const newLog = await this.logOfNew(job, attempt);
    const back: WayBack = { dependencies: 'untouched', build: 'untouched' };
    try {
      await this.goBack(job, attempt, hasFilledDisk(attempt, failure), back);
    } catch (error) {
      if (job.signal.aborted && (job.signal.reason as Failure).code !== 'TIMED_OUT') throw job.signal.reason;
      back.failure = Failure.of(job.signal.aborted ? job.signal.reason : error);
    }
    const [from, to] = [output.from.slice(0, 12), output.to.slice(0, 12)];
    const code = aborted ? failure.code : back.failure ? 'ROLLBACK_FAILED' : 'UPDATE_ROLLED_BACK';
    const then = back.failure
      ? `the way back to ${from} failed, too: ${back.failure.message}`
      : `${from} is back in its place`;
    const message = `${failure.message}: ${step} of ${to}; ${then}`;
    if (back.failure && !this.apps.get(before.uid)) {
      await this.changes.apply(
        before.uid,
        { state: 'error' },
        { operationId: job.operation.operationId, reason: { code: 'ROLLBACK_FAILED', message } },
      );
    }
    const entry = await job.entry();
    return new Failure(code, message, {
      context: {
        from: output.from,
        to: output.to,
        savedRef: output.savedRef,
        failedStep: step,
        restarted: false,
        rolledBack: !back.failure,
        outcomes: { new: told(failure), old: this.outcomeOfOld(entry, back) },
        logs: {
          new: newLog,
          old: await appLog(this.logs, entry.uid, this.apps.get(entry.uid)?.runId ?? entry.appOperationId),
        },
      },
    });
  }

  private async goBack(job: Job<'update'>, attempt: Attempt, removesNew: boolean, back: WayBack): Promise<void> {
    const { before } = attempt;
    await this.makeRoom(job, before, removesNew);
    const options = { rebuilds: before.installed !== null, removesNew };
    let settled = await this.settlement.putBack(job, before, options);
    const isBuildLost = settled.build === 'lost';
    const notBuilt = isBuildLost ? await this.buildAgain(job, before) : undefined;
    if (isBuildLost) {
      back.build = notBuilt ? 'lost' : 'rebuilt';
      settled = await job.carryThrough((steady) => this.settlement.putBack(steady, before));
    }
    back.dependencies = settled.dependencies;
    if (settled.failure) {
      await this.tellTree(attempt, settled);
      throw Failure.from(settled.failure);
    }
    if (before.declaresDependencies && (settled.dependencies === 'lost' || !before.installed)) {
      await this.reinstall(job, before);
      back.dependencies = 'reinstalled';
    }
    await this.startOld(job, before).catch((error: unknown) => {
      throw notBuilt ?? error;
    });
    if (notBuilt) throw notBuilt;
  }

  /** By an install whose dependencies do not stay: those that were kept are the right ones. Resolves to why it failed. */
  private async buildAgain(job: Job<'update'>, before: RepositoryEntry): Promise<Failure | undefined> {
    try {
      await job.thread('install', before, this.installs.inputAsBefore(before, true));
      return undefined;
    } catch (error) {
      const { code, message, context } = Failure.of(error);
      return new Failure(code, `What its install scripts make was not made again: ${message}`, { context });
    }
  }

  /** The new app ends; an old one that still runs, as the update has not come that far, runs on where it may. */
  private async makeRoom(
    job: Job<'update'>,
    { uid, appOperationId }: RepositoryEntry,
    endsOld: boolean,
  ): Promise<void> {
    const running = this.apps.get(uid);
    if ((!endsOld && running?.runId === appOperationId) || isStoppedOnRequest(await job.entry())) return;
    await this.stopper.stop(job, await job.entry(), 'updating');
    const { app } = await job.entry();
    // From now on a server that dies starts it again.
    await this.changes.apply(uid, { state: 'stopped', app: app && { ...app, stopReason: 'updating' } });
  }

  /** Where the tree was left: that no install fits it is all that is certain. */
  private async tellTree({ before, output }: Attempt, { commit }: SettleOutput): Promise<void> {
    const isOld = commit === output.from && output.from !== output.to;
    const facts = isOld ? {} : { ...factsOf(output), commit: commit ?? output.to };
    await this.changes.apply(before.uid, { ...facts, installed: null });
  }

  private async reinstall(job: Job<'update'>, before: RepositoryEntry): Promise<void> {
    const { uid } = before;
    await this.changes.apply(uid, { installed: null });
    const { record } = await job.thread('install', before, this.installs.inputAsBefore(before, false));
    await this.changes.apply(uid, { installed: record });
  }

  private async startOld(job: Job<'update'>, { uid, runOptions }: RepositoryEntry): Promise<void> {
    const entry = await job.entry();
    if (this.apps.get(uid) || isStoppedOnRequest(entry)) return;
    const { readiness, exitCode } = await this.launcher.launch(job, entry, runOptions ?? {});
    if (readiness === 'exited') throw new Failure('APP_EXITED', `The app exited with code ${exitCode}`);
    this.apps.trust(uid);
  }

  private async logOfNew(job: Job<'update'>, { before, step }: Attempt): Promise<LogExcerpt | undefined> {
    const { uid, appOperationId } = await job.entry();
    const started = step !== 'install' && appOperationId !== before.appOperationId;
    return started ? appLog(this.logs, uid, appOperationId) : updateLog(this.logs, uid, job.operation.operationId);
  }

  private outcomeOfOld({ uid, app }: RepositoryEntry, { dependencies, build, failure }: WayBack): object {
    const running = this.apps.get(uid) !== undefined;
    return { running, ...(running && { url: app?.url }), dependencies, build, ...(failure && told(failure)) };
  }
}

/** What its install has left would count against the old app, and end that one too. */
const hasFilledDisk = ({ step }: Attempt, { code }: Failure): boolean => step === 'install' && code === 'DISK_QUOTA';

const told = ({ code, message, suggestion }: Failure): object => ({ code, message, suggestion });
