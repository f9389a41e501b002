import semver from 'semver';
import { Failure } from '../../../contracts/failure.js';
import type { PackageManagerName } from '../../../contracts/shapes.js';
import { newestNode } from '../project/node-wish.js';
import type { PackageRegistry, PublishedVersion } from './package-registry.js';
import { managerSources, NODE_SOURCE, type ProgramSource } from './programs.js';
import { STATION_NODE, type StationNpm } from './station-node.js';
import type { ToolchainStore } from './toolchain-store.js';

/** A package manager version; without `published` it is the station's own npm. */
export interface ManagerCandidate {
  version: string;
  engines?: string;
  published?: { source: ProgramSource; version: PublishedVersion };
}

/** A Node.js and a package manager that run together; without `published` it is the station's own Node.js. */
export interface ToolPair {
  node: { version: string; published?: PublishedVersion };
  manager: ManagerCandidate;
}

/**
 * From 12 on npm runs no install script that package.json does not list in `allowScripts`, which a repository that names
 * no version has not thought of: taken last.
 */
const LAST_CHOICE: Partial<Record<PackageManagerName, string>> = { npm: '>=12' };

/** Finds versions that fit together. What the registry cannot tell because it is unreachable, the store tells. */
export class ToolFinder {
  /** Why the choice was narrower than it could be. */
  unreachable: Failure | undefined;
  /** Set when the registry's builds of Node.js do not run on this machine. */
  onlyStationNode = false;

  constructor(
    private readonly store: ToolchainStore,
    private readonly registry: PackageRegistry,
    private readonly stationNpm: StationNpm | undefined,
  ) {}

  /**
   * The newest manager that is in all of `ranges`, with a Node.js in `nodeRange` that it runs on: the station's own where
   * that will do. The registry is asked only when what is at hand does not fit.
   */
  async find(manager: PackageManagerName, ranges: string[], nodeRange: string): Promise<ToolPair | undefined> {
    return (
      (await this.pair(this.atHand(manager, ranges), nodeRange)) ??
      (await this.pair(await this.obtainable(manager, ranges), nodeRange))
    );
  }

  /** Whether any Node.js that can be had is in the range. */
  async hasNode(range: string): Promise<boolean> {
    if (satisfies(STATION_NODE.version, range)) return true;
    return (
      !this.onlyStationNode && (await this.listed(NODE_SOURCE.package)).some(({ version }) => satisfies(version, range))
    );
  }

  private async pair(managers: ManagerCandidate[], nodeRange: string): Promise<ToolPair | undefined> {
    const station = STATION_NODE.version;
    if (satisfies(station, nodeRange)) {
      const manager = managers.find(({ engines }) => satisfies(station, engines));
      if (manager) return { node: { version: station }, manager };
    }
    if (this.onlyStationNode || managers.length === 0) return undefined;
    const nodes = await this.listed(NODE_SOURCE.package);
    const kinds = new Map(managers.toReversed().map((manager) => [manager.engines, manager])); // the first of each
    for (const manager of managers.filter((one) => kinds.get(one.engines) === one)) {
      const node = newestNode(nodes, (version) => satisfies(version, nodeRange) && satisfies(version, manager.engines));
      if (node) return { node: { version: node.version, published: node }, manager };
    }
    return undefined;
  }

  private atHand(manager: PackageManagerName, ranges: string[]): ManagerCandidate[] {
    const own = manager === 'npm' && this.stationNpm;
    if (own && ranges.every((range) => satisfies(own.version, range))) return [own];
    const exact = exactVersion(ranges);
    return exact
      ? this.sources(manager, ranges).flatMap((source) => this.candidates(source, this.stored(source, exact)))
      : [];
  }

  private async obtainable(manager: PackageManagerName, ranges: string[]): Promise<ManagerCandidate[]> {
    const exact = exactVersion(ranges);
    const last = LAST_CHOICE[manager];
    const rank = ({ version }: ManagerCandidate) => (last && satisfies(version, last) ? 1 : 0);
    const found: ManagerCandidate[] = [];
    for (const source of this.sources(manager, ranges)) {
      const published = await this.listed(source.package);
      // A deprecated version is one that somebody has to name.
      found.push(
        ...this.candidates(
          source,
          published.filter(({ deprecated }) => exact || !deprecated),
        ),
      );
    }
    return found
      .filter(({ version }) => ranges.every((range) => satisfies(version, range)))
      .toSorted((a, b) => rank(a) - rank(b) || semver.rcompare(a.version, b.version));
  }

  private async listed(name: string): Promise<PublishedVersion[]> {
    try {
      return (await this.registry.versions(name)).filter(({ version }) => semver.valid(version));
    } catch (error) {
      if (!(error instanceof Failure) || error.code !== 'REGISTRY_UNREACHABLE') throw error;
      this.unreachable = error;
      return this.store.stored(name);
    }
  }

  private stored(source: ProgramSource, exact: string): PublishedVersion[] {
    return this.store.has(source.package, exact)
      ? this.store.stored(source.package).filter(({ version }) => version === exact)
      : [];
  }

  private sources(manager: PackageManagerName, ranges: string[]): ProgramSource[] {
    return managerSources(manager).filter(({ versions }) =>
      ranges.every((range) => semver.intersects(versions, range, { includePrerelease: true })),
    );
  }

  private candidates(source: ProgramSource, published: PublishedVersion[]): ManagerCandidate[] {
    return published.map((version) => ({
      version: version.version,
      engines: version.engines,
      published: { source, version },
    }));
  }
}

/** Where a single version was named, and not a range. */
const exactVersion = ([range, ...others]: string[]): string | undefined =>
  others.length === 0 ? (semver.valid(range) ?? undefined) : undefined;

const satisfies = (version: string, range = '*'): boolean => semver.satisfies(version, range);
