import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { mkdtemp, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { Failure } from '../../../contracts/failure.js';
import { removeFolders } from '../../../machine/remove-folders.js';
import type { PackageRegistry, PublishedVersion, TarballDigests } from './package-registry.js';

/** Left by a server that died: no download takes that long. */
const STALE_MS = 3_600_000;

/**
 * Programs from the registry, each version once: `packages/<name>/<version>/{package/,digests.json}`. An entry is
 * complete or absent: it is unpacked aside and moved into place by one rename, so that any number of threads and servers
 * may share a store without locks. Who loses such a race uses the winner's.
 */
export class ToolchainStore {
  constructor(
    readonly root: string,
    private readonly registry: PackageRegistry,
  ) {}

  /** Where the package is, once it is there. */
  packageFolder(name: string, version: string): string {
    return join(this.entry(name, version), 'package');
  }

  has(name: string, version: string): boolean {
    return existsSync(this.entry(name, version));
  }

  /** What is there already, in the registry's terms: all there is to choose from while the registry is unreachable. */
  stored(name: string): PublishedVersion[] {
    const folder = join(this.root, 'packages', name);
    if (!existsSync(folder)) return [];
    return readdirSync(folder).map((version) => {
      const { engines } = readJson(join(this.packageFolder(name, version), 'package.json')) as {
        engines?: { node?: string };
      };
      return { name, version, engines: engines?.node, deprecated: false, tarball: '' };
    });
  }

  digests(name: string, version: string): TarballDigests {
    return readJson(join(this.entry(name, version), 'digests.json')) as TarballDigests;
  }

  /**
   * The folder of the package, fetched unless it is there. `binary` is its program where it is a native one: it must run
   * on this machine (there are no builds of Node.js for musl), or the package does not enter the store.
   */
  async provide(published: PublishedVersion, binary?: string): Promise<string> {
    const { name, version } = published;
    if (!this.has(name, version)) await this.add(published, binary);
    return this.packageFolder(name, version);
  }

  private entry(name: string, version: string): string {
    return join(this.root, 'packages', name, version);
  }

  private async add(published: PublishedVersion, binary: string | undefined): Promise<void> {
    mkdirSync(this.root, { recursive: true });
    await this.removeStale();
    const aside = await mkdtemp(join(this.root, '.incoming-'));
    try {
      const entry = join(aside, 'entry');
      const unpacked = join(entry, 'package');
      const digests = await this.registry.unpack(published, unpacked, join(aside, 'cache'));
      writeFileSync(join(entry, 'digests.json'), JSON.stringify(digests));
      if (binary) await mustRun(join(unpacked, binary), published);
      makeReadOnly(entry);
      // A rename may reach the disk before the contents it names.
      await execa('sync', ['-f', entry], { reject: false, stdio: 'ignore' });
      await this.moveIntoPlace(entry, this.entry(published.name, published.version));
    } finally {
      await removeFolders([aside]);
    }
  }

  private async moveIntoPlace(entry: string, target: string): Promise<void> {
    mkdirSync(dirname(target), { recursive: true });
    try {
      await rename(entry, target);
    } catch (error) {
      if (!existsSync(target)) throw error;
    }
  }

  private async removeStale(): Promise<void> {
    for (const name of readdirSync(this.root).filter((one) => one.startsWith('.incoming-'))) {
      const folder = join(this.root, name);
      const age = Date.now() - (statSync(folder, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
      if (age > STALE_MS) await removeFolders([folder]);
    }
  }
}

async function mustRun(binary: string, { name, version }: PublishedVersion): Promise<void> {
  chmodSync(binary, 0o755);
  const { failed, shortMessage } = await execa(binary, ['--version'], {
    reject: false,
    extendEnv: false,
    timeout: 30_000,
  });
  if (!failed) return;
  throw new Failure('PACKAGE_MANAGER_UNAVAILABLE', `${name}@${version} does not run on this machine: ${shortMessage}`);
}

/** Files only: a folder that its owner may not write to could not be removed by an ordinary user. */
function makeReadOnly(path: string): void {
  const { mode } = lstatSync(path);
  if (statSync(path).isDirectory()) {
    for (const name of readdirSync(path)) makeReadOnly(join(path, name));
  } else {
    chmodSync(path, mode & 0o555);
  }
}

const readJson = (path: string): unknown => JSON.parse(readFileSync(path, 'utf8'));
