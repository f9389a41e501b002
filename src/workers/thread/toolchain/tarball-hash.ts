import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../../../contracts/failure.js';
import type { ManagerWish } from '../project/manager-wish.js';
import { DIGEST_ALGORITHMS, type PackageRegistry } from './package-registry.js';
import type { ManagerCandidate } from './tool-finder.js';
import type { ToolchainStore } from './toolchain-store.js';

/** Corepack hashes this one file of the package, and of all others the tarball. */
const HASHED_FILES: Record<string, string> = { '@yarnpkg/cli-dist': 'bin/yarn.js' };

/** Throws `PACKAGE_MANAGER_UNAVAILABLE` when the package in the store is not what the `packageManager` field has signed. */
export async function verifyHash(
  { name, hash }: ManagerWish,
  { published, version }: ManagerCandidate,
  store: ToolchainStore,
  registry: PackageRegistry,
): Promise<void> {
  if (!hash || !published || hash.version !== version) return;
  const { source } = published;
  const signed = source.hashed ?? source.package;
  if (!store.has(signed, version)) {
    const wrapper = (await registry.versions(signed)).find((one) => one.version === version);
    if (wrapper) await store.provide(wrapper);
  }
  if (digestOf(signed, version, hash.algorithm, store) === hash.hex) return;
  throw new Failure(
    'PACKAGE_MANAGER_UNAVAILABLE',
    `${name}@${version} of the registry has another ${hash.algorithm} hash than packageManager in package.json`,
    {
      suggestion: 'Correct the hash in packageManager, or remove it; if it was right, do not trust the registry.',
    },
  );
}

/** Undefined for an algorithm that corepack does not know. */
function digestOf(name: string, version: string, algorithm: string, store: ToolchainStore): string | undefined {
  const file = HASHED_FILES[name];
  if (file === undefined) return store.digests(name, version)[algorithm];
  if (!DIGEST_ALGORITHMS.includes(algorithm)) return undefined;
  return createHash(algorithm)
    .update(readFileSync(join(store.packageFolder(name, version), file)))
    .digest('hex');
}
