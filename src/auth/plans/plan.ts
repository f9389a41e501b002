import type { FailureCode } from '../../contracts/failure-codes.js';
import { Failure } from '../../contracts/failure.js';
import type { Permission } from '../../contracts/permissions.js';

/** How much the owner of a plan may use, over all of their keys. null is no limit. */
export interface Quotas {
  /** Docked repositories. */
  repositories: number | null;
  /** Apps that run at the same time. */
  runningApps: number | null;
  /** Operations at the same time; further ones wait in the queue. */
  operationsAtOnce: number | null;
  /** Operations that wait in the queue. */
  queuedOperations: number | null;
  /** MiB of memory of one install or app; never more than APP_MEMORY_MB. */
  memoryPerAppMb: number | null;
  /** MiB of disk of one repository; never more than REPO_DISK_MB. */
  diskPerRepositoryMb: number | null;
  /** MiB of disk of all repositories together. */
  diskMb: number | null;
  /** Requests and messages a minute. */
  requestsPerMinute: number | null;
  /** Keys that an owner has made beside the one that they sign in for. */
  keys: number | null;
}

/** What an administrator grants. */
export interface Plan {
  id: string;
  /** For people. */
  name: string;
  permissions: readonly Permission[];
  quotas: Quotas;
  /** Ids of the Patreon tiers that it comes with. */
  tiers: readonly string[];
}

/** What nobody is ever refused for what is theirs. */
export const ALWAYS_PERMITTED: readonly Permission[] = ['read', 'stop', 'unload'];
/** An owner whose plan has lapsed can still list and revoke keys: a leaked one can always be shut off. */
const PERMITTED_WHEN_LAPSED = new Set<Permission>([...ALWAYS_PERMITTED, 'keys']);

/** Quotas of an owner without a plan: no limits. */
export const UNBOUNDED: Quotas = {
  repositories: null,
  runningApps: null,
  operationsAtOnce: null,
  queuedOperations: null,
  memoryPerAppMb: null,
  diskPerRepositoryMb: null,
  diskMb: null,
  requestsPerMinute: null,
  keys: null,
};

/** What a limit counts, as a refusal says it. */
export const QUOTA_NAMES: Record<keyof Quotas, string> = {
  repositories: 'repositories',
  runningApps: 'running apps',
  operationsAtOnce: 'operations at the same time',
  queuedOperations: 'waiting operations',
  memoryPerAppMb: 'MiB of memory of an app',
  diskPerRepositoryMb: 'MiB of disk of a repository',
  diskMb: 'MiB of disk',
  requestsPerMinute: 'requests a minute',
  keys: 'further keys',
};

/** What passes by itself is worth another try. */
const CODES: Partial<Record<keyof Quotas, FailureCode>> = {
  queuedOperations: 'QUEUE_FULL',
  requestsPerMinute: 'RATE_LIMITED',
};

export interface Lapse {
  message: string;
  suggestion: string;
  context: object;
}

/** A caller's plan, with those that are above it: a refusal says which of them allows more. */
export class GrantedPlan {
  constructor(
    private readonly plan: Plan,
    /** From the cheapest on. */
    private readonly above: readonly Plan[],
    /** What is said to an owner whose plan has lapsed; undefined: it has not. */
    private readonly lapse?: Lapse,
  ) {}

  get id(): string {
    return this.plan.id;
  }

  get name(): string {
    return this.plan.name;
  }

  get permissions(): readonly Permission[] {
    const { permissions } = this.plan;
    return this.lapse ? permissions.filter((one) => PERMITTED_WHEN_LAPSED.has(one)) : permissions;
  }

  get quotas(): Quotas {
    return this.plan.quotas;
  }

  /** PLAN_LAPSED, with how to come back. */
  requireActive(): void {
    if (!this.lapse) return;
    const { message, suggestion, context } = this.lapse;
    throw new Failure('PLAN_LAPSED', message, { context: { plan: this.id, ...context }, suggestion });
  }

  /** PLAN_LIMIT when there are too many already. */
  requireWithin(quota: keyof Quotas, use: number): void {
    const limit = this.quotas[quota];
    if (limit !== null && use > limit) throw this.refusal(quota, use);
  }

  /** PLAN_LIMIT when one more would be too many; QUEUE_FULL where that passes by itself. */
  requireRoomFor(quota: keyof Quotas, use: number): void {
    const limit = this.quotas[quota];
    if (limit !== null && use >= limit) throw this.refusal(quota, use);
  }

  /** Says the limit, the use, and the cheapest plan that allows more. */
  refusal(quota: keyof Quotas, use: number, more: object = {}): Failure {
    const limit = this.quotas[quota];
    const raisedBy = this.above.find(({ quotas }) => (quotas[quota] ?? Infinity) > (limit ?? Infinity));
    return new Failure(
      CODES[quota] ?? 'PLAN_LIMIT',
      `The limit of the plan "${this.plan.name}" is reached: ${use} of ${limit} ${QUOTA_NAMES[quota]} in use`,
      {
        context: { plan: this.id, quota, limit, use, raisedBy: raisedBy?.id ?? null, ...more },
        suggestion: suggestionOf(raisedBy),
      },
    );
  }

  /** FORBIDDEN, with the cheapest plan that has the permission; PLAN_LAPSED where this one would have it. */
  refusalOf(permission: Permission): Failure {
    if (this.plan.permissions.includes(permission)) this.requireActive();
    const raisedBy = this.above.find(({ permissions }) => permissions.includes(permission));
    return new Failure('FORBIDDEN', `The plan "${this.plan.name}" does not have the permission "${permission}".`, {
      context: { permission, permissions: this.permissions, plan: this.id, raisedBy: raisedBy?.id ?? null },
      suggestion: suggestionOf(raisedBy) ?? 'Ask the administrator for a plan that has it: no other key of yours does.',
    });
  }
}

const suggestionOf = (plan: Plan | undefined): string | undefined => plan && `The plan "${plan.name}" allows more.`;
