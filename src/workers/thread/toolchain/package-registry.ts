import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { rootCertificates } from 'node:tls';
import type * as Pacote from 'pacote';
import { Failure } from '../../../contracts/failure.js';
import type { RegistryAccess } from '../../../contracts/operations.js';
import { withoutPaths } from '../../../machine/bounded.js';

/** One version of a package, as far as choosing and fetching it needs. */
export interface PublishedVersion {
  name: string;
  version: string;
  /** The Node.js range that it declares. */
  engines?: string;
  deprecated: boolean;
  tarball: string;
  integrity?: string;
}

/** Hex digests of a package's tarball by algorithm, to hold against the hash that a `packageManager` field names. */
export type TarballDigests = Record<string, string>;

/** Those that corepack writes, now and in earlier versions. */
export const DIGEST_ALGORITHMS = ['sha1', 'sha224', 'sha256', 'sha384', 'sha512'];

type PacoteFunctions = Pick<typeof Pacote, 'extract' | 'packument' | 'tarball'>;

/** The npm registry, reached as the server's own npm reaches it. pacote takes 100 ms to load: only where it is needed. */
export class PackageRegistry {
  private readonly listings = new Map<string, Promise<PublishedVersion[]>>();

  constructor(
    private readonly access: RegistryAccess,
    private readonly cache: string,
    private readonly signal: AbortSignal,
  ) {}

  /** All versions of a package, none where there is no such package. Rejects with `REGISTRY_UNREACHABLE`. */
  versions(name: string): Promise<PublishedVersion[]> {
    const listing = this.listings.get(name) ?? this.fetchVersions(name);
    this.listings.set(name, listing);
    return listing;
  }

  /** Unpacks a package into `directory`, its integrity checked. `cache` is scratch space. */
  async unpack(published: PublishedVersion, directory: string, cache: string): Promise<TarballDigests> {
    const options = { ...this.options(), cache, integrity: published.integrity };
    return this.reach(published.name, async ({ extract, tarball }) => {
      await extract(published.tarball, directory, options);
      // From the scratch cache this time: pacote verifies while it unpacks and keeps no digest of another kind.
      return tarball.stream(
        published.tarball,
        async (stream) => {
          const hashes = DIGEST_ALGORITHMS.map((algorithm) => ({ algorithm, hash: createHash(algorithm) }));
          for await (const chunk of stream) for (const { hash } of hashes) hash.update(chunk as Buffer);
          return Object.fromEntries(hashes.map(({ algorithm, hash }) => [algorithm, hash.digest('hex')]));
        },
        options,
      );
    });
  }

  private async fetchVersions(name: string): Promise<PublishedVersion[]> {
    const packument = await this.reach(name, async (pacote) => {
      try {
        return await pacote.packument(name, this.options());
      } catch (error) {
        if ((error as { code?: string }).code === 'E404') return undefined;
        throw error;
      }
    });
    return Object.values(packument?.versions ?? {}).map(({ version, engines, deprecated, dist }) => ({
      name,
      version,
      engines: typeof engines?.node === 'string' ? engines.node : undefined,
      deprecated: Boolean(deprecated),
      tarball: dist.tarball,
      integrity: dist.integrity,
    }));
  }

  private async reach<T>(name: string, use: (pacote: PacoteFunctions) => Promise<T>): Promise<T> {
    const { default: pacote } = await import('pacote');
    try {
      return await use(pacote);
    } catch (error) {
      this.signal.throwIfAborted();
      const failure = Failure.of(error);
      if (failure.code === 'NO_SPACE') throw failure;
      const reason = withoutPaths(error instanceof Error ? error.message : String(error));
      throw new Failure('REGISTRY_UNREACHABLE', `${reason}: could not fetch ${name} from the registry`, {
        cause: error,
      });
    }
  }

  private options(): Pacote.Options {
    const { url, cafile, strictSsl, httpProxy, httpsProxy, noProxy } = this.access;
    return {
      registry: url,
      cache: this.cache,
      strictSSL: strictSsl,
      // `ca` replaces Node's own list, and the file holds further authorities.
      ...(cafile && { ca: [...rootCertificates, readFileSync(cafile, 'utf8')] }),
      proxy: httpsProxy ?? httpProxy,
      noProxy,
      retry: { retries: 2, minTimeout: 500, maxTimeout: 5_000 },
      timeout: 60_000,
      // Known to npm-registry-fetch, not to its types.
      signal: this.signal,
    };
  }
}
