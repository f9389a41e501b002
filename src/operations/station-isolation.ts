import { dirname, join } from 'node:path';
import type { OwnerPlans } from '../auth/owner-plans.js';
import type { StationConfig } from '../config/config.js';
import { isLoopback } from '../config/public-url.js';
import { Failure } from '../contracts/failure.js';
import type { RegistryAccess } from '../contracts/operations.js';
import type { SandboxMachine, SandboxPlan } from '../contracts/sandbox-plan.js';
import type { LimitsReport, NetworkReport } from '../contracts/shapes.js';
import { INSTALLATION } from '../installation.js';
import type { RepositoryEntry } from '../registry/repository-entry.js';
import { withoutPaths } from '../machine/bounded.js';
import { probeSandbox } from '../workers/thread/sandbox/probe.js';
import { delegateCpu } from './cpu-delegation.js';
import { raiseServerPriority } from './server-priority.js';
import { CERTIFICATE_VARIABLES } from '../machine/certificate-variables.js';
import type { StationFolders } from './station-folders.js';

/** Of a cgroup that nothing is said of. */
const EQUAL_WEIGHT = 100;

/** What really confines the code of repositories on this station: found out at start by trying to escape, told truly ever after. */
export class StationIsolation {
  /** Of the last sandboxes that were made for git, which has no network of its own, and for the code of a repository. */
  private readonly failures: { git?: string; code?: string } = {};

  private constructor(
    /** Of repositories that ask for nothing else. */
    readonly plan: SandboxPlan,
    private readonly config: StationConfig,
    private readonly owners: Pick<OwnerPlans, 'of'>,
  ) {}

  static async findOut(
    config: StationConfig,
    folders: StationFolders,
    registry: RegistryAccess,
    owners: Pick<OwnerPlans, 'of'>,
  ): Promise<StationIsolation> {
    const cpu = delegateCpu();
    raiseServerPriority();
    const machine = { ...machineOf(config, folders, registry), ...(cpu.group && { cpuGroup: cpu.group }) };
    const limits: LimitsReport = {
      memoryMb: config.appMemoryMb,
      processes: config.appMaxProcesses,
      diskMb: config.repoDiskMb,
      ...(cpu.group ? { cpuWeight: EQUAL_WEIGHT } : { cpuWeight: null, cpuReason: cpu.reason }),
      enforcedBy: 'watchdog',
    };
    const unconfined = (reason: string): SandboxPlan => ({
      isolation: { driver: 'none', reason },
      network: { mode: 'shared', reason: 'without a sandbox apps share the network of the host' },
      limits,
      machine,
    });
    if (config.sandbox === 'none') return new StationIsolation(unconfined('SANDBOX=none'), config, owners);
    const probe = async (network: NetworkReport): Promise<SandboxPlan> => {
      const plan: SandboxPlan = { isolation: { driver: 'bubblewrap' }, network, limits, machine };
      const folder = join(config.workspaceDir, '.staging', 'probe');
      await probeSandbox({ plan, folder, marker: `${folders.stationId}:probe:probe` });
      return plan;
    };
    let shared = config.network === 'shared' ? 'NETWORK=shared' : undefined;
    try {
      if (!shared) return new StationIsolation(await probe({ mode: 'private' }), config, owners);
    } catch (error) {
      shared = reasonOf(error);
    }
    const plan = await probe({ mode: 'shared', reason: shared }).catch((error: unknown) => unconfined(reasonOf(error)));
    return new StationIsolation(plan, config, owners);
  }

  planFor({ isolated, owner }: Pick<RepositoryEntry, 'isolated' | 'owner'>): SandboxPlan {
    const plan = { ...this.plan, limits: this.limitsOf(owner) };
    if (isolated !== false) return plan;
    const reason = 'an administrator has asked for it';
    return { ...plan, isolation: { driver: 'none', reason }, network: { mode: 'shared', reason } };
  }

  /** Those of the station, or of the owner's plan where that allows less. */
  private limitsOf(owner: string): LimitsReport {
    const { limits } = this.plan;
    const quotas = this.owners.of(owner)?.quotas;
    if (!quotas) return limits;
    return {
      ...limits,
      memoryMb: least(limits.memoryMb, quotas.memoryPerAppMb),
      diskMb: least(limits.diskMb, quotas.diskPerRepositoryMb),
    };
  }

  /** Why the last sandbox could not be made; undefined again once one can. The plan stays: nothing is run with less. */
  get lastFailure(): string | undefined {
    return this.failures.code ?? this.failures.git;
  }

  /** One was made by this plan, or could not be. */
  noteSandbox({ isolation }: SandboxPlan, purpose: 'git' | 'code', failure?: Failure): void {
    if (isolation.driver === 'none') return;
    this.failures[purpose] = failure?.message;
    if (!failure && purpose === 'code') this.failures.git = undefined;
  }

  /** Why nothing of repositories is run here, undefined where it is. */
  refusal(): string | undefined {
    const { isolation, network } = this.plan;
    const { sandbox, network: wanted, host, allowUnsandboxed } = this.config;
    if (isolation.driver === 'none') {
      if (sandbox === 'bubblewrap') return `SANDBOX=bubblewrap, and there is none: ${isolation.reason}`;
      if (!isLoopback(host) && !allowUnsandboxed)
        return `the station is open to others, and has no sandbox: ${isolation.reason}`;
    }
    if (wanted === 'private' && network.mode !== 'private')
      return `NETWORK=private, and there is none: ${network.reason}`;
    return undefined;
  }

  /** Why no code of this repository must be run, undefined where it may. */
  refusalFor({ isolated }: Pick<RepositoryEntry, 'isolated'>): string | undefined {
    if (isolated === false) return undefined;
    const { isolation } = this.plan;
    if (isolated === true && isolation.driver === 'none') return `it is to be isolated: ${isolation.reason}`;
    return this.refusal();
  }

  /** SANDBOX_UNAVAILABLE where code of this repository must not be run. */
  requireFor(entry: Pick<RepositoryEntry, 'isolated' | 'repoId'>): void {
    const reason = this.refusalFor(entry);
    if (reason) throw new Failure('SANDBOX_UNAVAILABLE', `Nothing of ${entry.repoId} is run: ${reason}`);
  }
}

const least = (...limits: (number | null)[]): number => Math.min(...limits.map((limit) => limit ?? Infinity));

const reasonOf = (error: unknown): string => withoutPaths(error instanceof Error ? error.message : String(error));

function machineOf(config: StationConfig, { toolchains }: StationFolders, registry: RegistryAccess): SandboxMachine {
  const prefix = dirname(dirname(process.execPath));
  const node = [process.execPath, join(prefix, 'lib/node_modules/npm'), join(prefix, 'include/node')];
  const certificates = [registry.cafile, ...CERTIFICATE_VARIABLES.map((name) => process.env[name])];
  const { httpProxy, httpsProxy, url } = registry;
  return {
    ...(process.getuid?.() === 0 && { user: config.sandboxUid }),
    readable: [toolchains, ...node, ...certificates].filter((path) => path?.startsWith('/') === true) as string[],
    // The last is npm's configuration for the whole machine, with its tokens.
    hidden: [INSTALLATION, config.dataDir, config.workspaceDir, join(prefix, 'etc/npmrc')],
    reachable: [url, httpProxy, httpsProxy].filter((one) => one !== undefined).flatMap(serverOf),
  };
}

function serverOf(url: string): { host: string; port: number }[] {
  if (!URL.canParse(url)) return [];
  const { hostname, port, protocol } = new URL(url);
  return [{ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) || (protocol === 'http:' ? 80 : 443) }];
}
