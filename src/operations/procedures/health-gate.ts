import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { AppsService } from '../../apps/apps.service.js';
import { Failure } from '../../contracts/failure.js';
import { READY_TIMEOUT_MS } from '../../contracts/operation-options.js';
import type { RunResult } from '../../contracts/operations.js';
import type { RepositoryEntry } from '../../registry/repository-entry.js';
import type { AnyJob } from '../job.js';
import { PLACE_MS } from './app-launcher.js';

/** Of 26 real repositories five listened and then died, after 0.1 to 4 s, of which half a second has passed by then. */
const PROOF_MS = 3_000;

/** Whether a new version of an app is as well as the old one was. */
@Injectable()
export class HealthGate {
  constructor(private readonly apps: AppsService) {}

  /** Rejects with what is wrong: it has ended, or is not ready though the old one was. */
  async pass(job: AnyJob, before: RepositoryEntry, { readiness }: RunResult): Promise<void> {
    const { uid, app, runOptions } = before;
    // One that never listens, such as a chat bot, need not begin to.
    if (readiness === 'timeout' && (app?.ready || before.appWasReady)) {
      const withinMs = runOptions?.readyTimeoutMs ?? READY_TIMEOUT_MS;
      throw new Failure('TIMED_OUT', `The app was not ready within ${withinMs} ms`, {
        context: { withinMs },
        suggestion: 'Read its log; an app that needs longer is run with a larger readyTimeoutMs.',
      });
    }
    job.progress(
      'proving',
      null,
      `it has to live on for ${PROOF_MS} ms, and to pass a liveness check where it has one`,
    );
    const patience = setTimeout(() => job.giveUpPlace(), PLACE_MS);
    const over = new AbortController();
    const signal = AbortSignal.any([job.signal, over.signal]);
    const lives = Promise.all([delay(PROOF_MS, undefined, { signal }), this.whenHealthy(uid, readiness, signal)]);
    await Promise.race([this.apps.whenEnded(uid), lives]).catch(() => job.signal.throwIfAborted());
    over.abort();
    clearTimeout(patience);
    if (!this.apps.get(uid)) throw await this.endOf(job);
    this.apps.trust(uid);
  }

  /** Checks begin when it is ready. */
  private async whenHealthy(uid: string, readiness: RunResult['readiness'], signal: AbortSignal): Promise<void> {
    if (readiness === 'timeout') return;
    await Promise.race([this.apps.whenHealthy(uid), once(signal, 'abort')]);
    signal.throwIfAborted();
  }

  private async endOf(job: AnyJob): Promise<Failure> {
    const { app, stateReason } = await job.entry();
    const message = stateReason?.message ?? `The app has ended with exit code ${app?.exitCode}`;
    return new Failure('APP_EXITED', message, { context: stateReason?.context });
  }
}
