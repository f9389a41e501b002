import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../../../contracts/failure.js';
import type { ManagerWish } from '../project/manager-wish.js';
import type { PackageRegistry } from './package-registry.js';
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
  const file = HASHED_FILES[signed];
  const actual = file
    ? createHash(hash.algorithm)
        .update(readFileSync(join(store.packageFolder(signed, version), file)))
        .digest('hex')
    : store.digests(signed, version)[hash.algorithm];
  if (actual === hash.hex) return;
  throw new Failure(
    'PACKAGE_MANAGER_UNAVAILABLE',
    `${name}@${version} of the registry has another ${hash.algorithm} hash than packageManager in package.json`,
    {
      suggestion: 'Correct the hash in packageManager, or remove it; if it was right, do not trust the registry.',
    },
  );
}
