import { managerWish } from './manager-wish.js';
import type { ProjectFiles } from './project-files.js';

const lock = (file: string, manager: 'npm' | 'yarn' | 'pnpm' | 'bun', format = '') => ({ file, manager, format });
const files = (some: Partial<ProjectFiles> = {}): ProjectFiles => ({ lockfiles: [], yarnBerry: false, ...some });
const pnpmLock = files({ lockfiles: [lock('pnpm-lock.yaml', 'pnpm', '6.0')] });

describe('the package manager that a repository is installed with', () => {
  it.each([
    ['the caller, before all else', { packageManager: 'pnpm@9.1.0' }, files(), 'yarn', 'yarn', 'the request names it'],
    [
      'packageManager, before a lockfile',
      { packageManager: 'pnpm@9.1.0' },
      files({ lockfiles: [lock('package-lock.json', 'npm')] }),
      undefined,
      'pnpm',
      'packageManager',
    ],
    [
      'devEngines.packageManager, before a lockfile',
      { devEngines: { packageManager: { name: 'yarn', version: '^4' } } },
      pnpmLock,
      undefined,
      'yarn',
      'devEngines',
    ],
    ['the writer of the lockfile', {}, pnpmLock, undefined, 'pnpm', 'it wrote pnpm-lock.yaml'],
    [
      'the first of several lockfiles',
      {},
      files({ lockfiles: [lock('yarn.lock', 'yarn', 'classic'), lock('package-lock.json', 'npm')] }),
      undefined,
      'yarn',
      'which goes before package-lock.json',
    ],
    [
      'pnpm where there is a pnpm-workspace.yaml',
      {},
      files({ pnpmWorkspace: 'settings' }),
      undefined,
      'pnpm',
      'pnpm-workspace.yaml',
    ],
    ['yarn where there is a .yarnrc.yml', {}, files({ yarnBerry: true }), undefined, 'yarn', '.yarnrc.yml'],
    [
      'one that knows the protocols in use',
      { dependencies: { a: 'workspace:*' } },
      files({ lockfiles: [lock('package-lock.json', 'npm')] }),
      undefined,
      'pnpm',
      'workspace: protocol',
    ],
    ['npm where nothing tells', {}, files(), undefined, 'npm', 'nothing names another one'],
    [
      'npm where an unknown one is named',
      { packageManager: 'evil@1' },
      files(),
      undefined,
      'npm',
      'evil@1 is not known here',
    ],
    [
      'npm where the fields hold anything',
      { packageManager: { name: 'pnpm' }, devEngines: { packageManager: [7] } },
      files(),
      undefined,
      'npm',
      'nothing names another one',
    ],
  ] as const)('is %s', (_case, manifest, projectFiles, requested, name, why) => {
    const wish = managerWish(manifest, projectFiles, requested);
    expect(wish.name).toBe(name);
    expect(wish.why).toContain(why);
  });

  it.each([
    ['npm', { packageManager: 'pnpm@9.1.0' }, files({ pnpmWorkspace: 'packages' })],
    ['npm', { devDependencies: { a: 'workspace:^' } }, files()],
    ['pnpm', { dependencies: { a: 'patch:left-pad@1#fix.patch' } }, files()],
  ] as const)('is never %s in a workspace that it cannot install', (requested, manifest, projectFiles) => {
    const refused = expect.objectContaining({ code: 'PACKAGE_MANAGER_UNAVAILABLE' });
    expect(() => managerWish(manifest, projectFiles, requested)).toThrow(refused);
  });

  it('has no stand-in where no other could install the workspace', () => {
    expect(
      managerWish({ packageManager: 'pnpm@9.1.0' }, files({ pnpmWorkspace: 'packages' }), undefined).replaceable,
    ).toBe(false);
    expect(managerWish({ packageManager: 'pnpm@9.1.0' }, files(), undefined).replaceable).toBe(true);
  });
});

describe('its version', () => {
  const first = (manifest: object, projectFiles: ProjectFiles, requested?: 'yarn' | 'pnpm') =>
    managerWish(manifest, projectFiles, requested).ranges[0];

  it.each([
    ['the one that was named', { packageManager: 'pnpm@9.1.0' }, pnpmLock, ['9.1.0']],
    ['one that reads the lockfile', {}, pnpmLock, ['^8']],
    [
      'one that reads the lockfile and that engines permit',
      { engines: { pnpm: '>=8.6' } },
      pnpmLock,
      ['>=8.6.0', '^8'],
    ],
    ['one that reads the lockfile where engines say nonsense', { engines: { pnpm: 'please' } }, pnpmLock, ['^8']],
    ['yarn 1 for its lockfile', {}, files({ lockfiles: [lock('yarn.lock', 'yarn', 'classic')] }), ['^1']],
    ['yarn 4 for its lockfile', {}, files({ lockfiles: [lock('yarn.lock', 'yarn', '8')] }), ['^4']],
    ['that of a yarn in the repository', {}, files({ yarnBerry: true, yarnRelease: '3.6.4' }), ['3.6.4']],
    ['what volta pins', { volta: { pnpm: '8.1.0' } }, pnpmLock, ['8.1.0']],
  ])('is %s', (_case, manifest, projectFiles, ranges) => {
    expect(first(manifest, projectFiles)).toEqual(ranges);
  });

  it('is that of packageManager also when the caller names the same manager', () => {
    expect(first({ packageManager: 'pnpm@9.1.0' }, files(), 'pnpm')).toEqual(['9.1.0']);
    expect(first({ packageManager: 'pnpm@9.1.0' }, files(), 'yarn')).toEqual(['^1']);
  });

  it('carries the hash that the field signs it with', () => {
    const wish = managerWish({ packageManager: 'yarn@1.22.22+sha512.ABC123' }, files(), undefined);
    expect(wish).toMatchObject({
      wanted: 'yarn@1.22.22',
      hash: { version: '1.22.22', algorithm: 'sha512', hex: 'abc123' },
    });
  });
});
