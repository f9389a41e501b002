import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PackageRegistry } from './package-registry.js';
import { verifyHash } from './tarball-hash.js';
import { ToolchainStore } from './toolchain-store.js';

describe('the hash that a repository signs its package manager with', () => {
  const PROGRAM = 'console.log("yarn")';
  const SHA224 = createHash('sha224').update(PROGRAM).digest('hex');
  let root: string;
  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'tarball-hash-'));
    const folder = join(root, 'packages/@yarnpkg/cli-dist/4.1.0/package/bin');
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'yarn.js'), PROGRAM);
  });
  afterAll(() => rmSync(root, { recursive: true }));

  function verify(algorithm: string, hex: string): Promise<void> {
    const access = { url: 'http://127.0.0.1:9/', strictSsl: true };
    const registry = new PackageRegistry(access, join(root, 'cache'), new AbortController().signal);
    const [name, version] = ['@yarnpkg/cli-dist', '4.1.0'];
    const published = {
      source: { package: name, versions: '*' },
      version: { name, version, deprecated: false, tarball: '' },
    };
    const wish = { name: 'yarn', wanted: null, why: '', ranges: [], replaceable: true } as const;
    const hash = { version, algorithm, hex };
    return verifyHash(
      { ...wish, ranges: [], hash },
      { version, published },
      new ToolchainStore(root, registry),
      registry,
    );
  }

  it('is that of what is installed', async () => {
    await expect(verify('sha224', SHA224)).resolves.toBeUndefined();
  });

  it.each([
    ['another one', 'sha512', SHA224],
    ['of an algorithm that there is not', 'sha999', 'ab'],
  ])('or the package manager is not used: %s', async (_, algorithm, hex) => {
    await expect(verify(algorithm, hex)).rejects.toMatchObject({ code: 'PACKAGE_MANAGER_UNAVAILABLE' });
  });
});
