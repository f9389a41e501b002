import { join } from 'node:path';
import { Failure } from '../../../contracts/failure.js';
import type { InstallRecord, ToolchainAccess } from '../../../contracts/operations.js';
import type { PackageManagerName } from '../../../contracts/shapes.js';
import { managerWish, type ManagerWish } from '../project/manager-wish.js';
import type { ProjectManifest } from '../project/project-manifest.js';
import { readProjectFiles } from '../project/project-files.js';
import { provideBinFolder } from './bin-folder.js';
import { managerChoice, nodeChoice } from './choices.js';
import { nodeWish, type NodeWish } from '../project/node-wish.js';
import { PackageRegistry } from './package-registry.js';
import { NODE_SOURCE, programsOf, type Programs } from './programs.js';
import { STATION_NODE, stationNpm } from './station-node.js';
import { verifyHash } from './tarball-hash.js';
import { ToolFinder, type ToolPair } from './tool-finder.js';
import { ToolchainStore } from './toolchain-store.js';

export interface ToolchainRequest {
  workspace: string;
  manifest: ProjectManifest;
  /** The caller's choice. */
  packageManager?: PackageManagerName;
  /** Whether a Node.js that is not available is a failure; otherwise it is a warning. */
  strictEngines: boolean;
  access: ToolchainAccess;
  signal: AbortSignal;
  onProgress(message: string): void;
}

/** The tools of one repository, ready for use. */
export interface Toolchain extends Pick<InstallRecord, 'packageManager' | 'node' | 'nodePath' | 'binPaths'> {
  warnings: string[];
}

/**
 * Chooses Node.js and the package manager of a repository, and fetches what is not there yet. Rejects with
 * `ENGINE_MISMATCH`, with `PACKAGE_MANAGER_UNAVAILABLE` where nothing may stand in for the one that was asked for, with
 * `NO_SPACE`, or with the reason of the abort.
 */
export async function provideToolchain(request: ToolchainRequest): Promise<Toolchain> {
  return new ToolchainProvider(request).provide();
}

class ToolchainProvider {
  private readonly stationNpm = stationNpm();
  private readonly registry: PackageRegistry;
  private readonly store: ToolchainStore;
  private readonly finder: ToolFinder;
  private readonly warnings: string[] = [];
  /** Why a version that was found could not be used. */
  private setback: string | undefined;

  constructor(private readonly request: ToolchainRequest) {
    const { access, signal } = request;
    this.registry = new PackageRegistry(access.registry, join(access.store, 'cache'), signal);
    this.store = new ToolchainStore(access.store, this.registry);
    this.finder = new ToolFinder(this.store, this.registry, this.stationNpm);
  }

  async provide(): Promise<Toolchain> {
    const { manifest, workspace, packageManager } = this.request;
    const files = readProjectFiles(workspace);
    const asked = nodeWish(manifest, files);
    const wish = managerWish(manifest, files, packageManager);
    return this.satisfy(wish, asked, await this.attainable(asked));
  }

  /** Down the rows of the wish, then those of npm where it may stand in. */
  private async satisfy(wish: ManagerWish, asked: NodeWish | undefined, nodeRange: string): Promise<Toolchain> {
    const standIn: ManagerWish[] = wish.replaceable ? [{ ...wish, name: 'npm', ranges: [['*']], hash: undefined }] : [];
    for (const { name, ranges, hash } of [wish, ...standIn]) {
      for (const row of ranges) {
        const pair = await this.finder.find(name, row, nodeRange);
        if (!pair) continue;
        const nodePath = await this.obtainNode(pair);
        // Its builds of Node.js do not run here: once more, with the station's own.
        if (!nodePath) return this.satisfy(wish, asked, await this.attainable(asked));
        const programs = await this.obtainManager(name, pair);
        if (!programs) continue;
        if (hash) await verifyHash(wish, pair.manager, this.store, this.registry);
        const folder = await provideBinFolder(this.store.root, nodePath, {
          ...(name === 'npm' ? {} : await this.npmFor(pair.node.version)),
          ...programs,
        });
        return {
          packageManager: managerChoice(wish, name, pair, this.reason()),
          node: nodeChoice(asked, pair, name),
          nodePath,
          binPaths: [folder],
          warnings: this.warnings,
        };
      }
    }
    throw this.unavailable(wish);
  }

  /** The range to look for: that of the wish, or any when nothing in it can be had. */
  private async attainable(asked: NodeWish | undefined): Promise<string> {
    if (!asked) return '*';
    if (asked.range && (await this.finder.hasNode(asked.range))) return asked.range;
    const problem = asked.range ? `which is not available${this.reason()}` : 'which is no version range';
    const message = `${asked.source} asks for Node.js "${asked.wanted}", ${problem}`;
    if (this.request.strictEngines) {
      throw new Failure('ENGINE_MISMATCH', message, { retryable: this.finder.unreachable !== undefined });
    }
    this.warnings.push(message);
    return '*';
  }

  private async obtainNode({ node: { published, version } }: ToolPair): Promise<string | undefined> {
    if (!published) return STATION_NODE.path;
    this.request.onProgress(`Node.js ${version}`);
    const folder = await this.attempt(() => this.store.provide(published, NODE_SOURCE.binary));
    if (!folder) this.finder.onlyStationNode = true;
    return folder === undefined ? undefined : join(folder, NODE_SOURCE.binary);
  }

  private async obtainManager(name: PackageManagerName, { manager }: ToolPair): Promise<Programs | undefined> {
    const { published, version } = manager;
    if (!published) return this.stationNpm?.programs;
    this.request.onProgress(`${name} ${version}`);
    const folder = await this.attempt(() => this.store.provide(published.version, published.source.binary));
    return folder === undefined ? undefined : programsOf(name, folder, published.source);
  }

  /** Scripts call npm, npx and node-gyp whatever the package manager is; without, those that do will say so. */
  private async npmFor(nodeVersion: string): Promise<Programs> {
    const pair = await this.finder.find('npm', ['*'], nodeVersion);
    return (pair && (await this.obtainManager('npm', pair))) ?? {};
  }

  private async attempt<T>(action: () => Promise<T>): Promise<T | undefined> {
    try {
      return await action();
    } catch (error) {
      if (!(error instanceof Failure) || error.code === 'NO_SPACE' || this.request.signal.aborted) throw error;
      this.setback = error.message;
      return undefined;
    }
  }

  private reason(): string {
    const reason = this.setback ?? this.finder.unreachable?.message;
    return reason ? ` (${reason})` : '';
  }

  private unavailable({ name, version }: ManagerWish): Failure {
    const what = version ? `${name}@${version}` : name;
    return new Failure(
      'PACKAGE_MANAGER_UNAVAILABLE',
      `${what} is not available${this.reason()}, and no other may stand in`,
      {
        retryable: this.finder.unreachable !== undefined,
      },
    );
  }
}
