import { Injectable } from '@nestjs/common';
import type { Quotas } from '../auth/plans/plan.js';
import type { Principal } from '../auth/principal.js';
import { OperationHistory } from '../registry/operation-history.js';
import { RepositoryRegistry } from '../registry/repository-registry.js';
import { diskBytes } from '../machine/disk-usage.js';
import { StationFolders } from '../operations/station-folders.js';

const MIB = 1024 * 1024;
/** Measuring walks through every file: what is only shown may be as old as this. */
const SHOWN_MAX_AGE_MS = 30_000;

/** What an owner uses of their quotas, over all of their keys. */
export type OwnerUse = Record<
  Extract<keyof Quotas, 'repositories' | 'runningApps' | 'operationsAtOnce' | 'queuedOperations' | 'diskMb'>,
  number
>;

interface Measurement {
  /** When it was begun. */
  at: number;
  isPending: boolean;
  diskMb: Promise<number>;
}

/** How much of the station its owners use. */
@Injectable()
export class OwnerUseService {
  private readonly measured = new Map<string, Measurement>();

  constructor(
    private readonly registry: RepositoryRegistry,
    private readonly history: OperationHistory,
    private readonly folders: StationFolders,
  ) {}

  async of(owner: string): Promise<OwnerUse> {
    const own = await this.registry.listOf(owner);
    const unfinished = (await this.history.unfinished()).filter((operation) => operation.owner === owner);
    return {
      repositories: own.length,
      runningApps: own.filter(({ state }) => state === 'running').length,
      operationsAtOnce: unfinished.filter(({ status }) => status === 'running').length,
      queuedOperations: unfinished.filter(({ status }) => status === 'queued').length,
      diskMb: await this.diskMb(owner, SHOWN_MAX_AGE_MS),
    };
  }

  /** PLAN_LIMIT where the caller has more than the plan allows, as after a plan that has become less. */
  async requireWithinPlan({ owner, plan }: Principal): Promise<void> {
    if (!plan) return;
    const own = await this.registry.listOf(owner);
    plan.requireWithin('repositories', own.length);
    plan.requireWithin('runningApps', own.filter(({ state }) => state === 'running').length);
  }

  /** PLAN_LIMIT where the caller's repositories take as much disk as the plan allows. */
  async requireDiskFor({ owner, plan }: Principal): Promise<void> {
    if (plan && plan.quotas.diskMb !== null) plan.requireRoomFor('diskMb', await this.diskMb(owner, 0));
  }

  private diskMb(owner: string, maxAgeMs: number): Promise<number> {
    const known = this.measured.get(owner);
    // One answer serves all who ask at the same time.
    if (known && (known.isPending || Date.now() - known.at < maxAgeMs)) return known.diskMb;
    const begun = { at: Date.now(), isPending: true, diskMb: this.measure(owner) };
    begun.diskMb = begun.diskMb.finally(() => (begun.isPending = false));
    this.measured.set(owner, begun);
    return begun.diskMb;
  }

  private async measure(owner: string): Promise<number> {
    const folders = (await this.registry.listOf(owner)).flatMap((entry) => {
      const { workspace, home } = this.folders.pathsOf(entry);
      return [workspace, home];
    });
    return folders.length === 0 ? 0 : Math.ceil((await diskBytes(folders)) / MIB);
  }
}
