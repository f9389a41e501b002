import { execFileSync } from 'node:child_process';
import { existsSync, lstatSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TestThread, type Files } from '../../../../test/support/operation-thread.js';
import { sharedToolchains } from '../../../../test/support/temporary-folder.mjs';
import { itInMatrix } from '../../../../test/support/matrix.js';
import { readRegistryAccess } from '../../../config/registry-access.js';
import type { InstallInput, RegistryAccess } from '../../../contracts/operations.js';
import { install } from './install.js';

const LEFT_PAD = { 'left-pad': '1.3.0' };
const IS_NUMBER = { 'is-number': '7.0.0' };
/** Has an install script, which bun does not trust. */
const WITH_SCRIPT = { '@scarf/scarf': '1.4.0' };
/** Bun runs the scripts of some packages, that one among them. */
const WITH_SCRIPT_FOR_BUN = { 'core-js-pure': '3.40.0' };
const LEFT_PAD_INTEGRITY =
  'sha512-XI5MPzVNApjAyhQzphX8BkmKsKUxD4LdyK24iZeQGinBN9yTQT3bFlCBy/aVx2HrNcqQGsdot8ghrjyrvMCoEA==';
const NATIVE_MODULE: Files = {
  'binding.gyp': { targets: [{ target_name: 'answer', sources: ['answer.c'] }] },
  'answer.c': `#include <node_api.h>
    static napi_value init(napi_env env, napi_value exports) {
      napi_value answer;
      napi_create_int32(env, 42, &answer);
      return answer;
    }
    NAPI_MODULE(answer, init)`,
};

const manifest = (more: object = {}) => ({ name: 'app', version: '1.0.0', dependencies: LEFT_PAD, ...more });
const packageLock = (dependencies: object) => ({
  name: 'app',
  version: '1.0.0',
  lockfileVersion: 3,
  requires: true,
  packages: {
    '': { name: 'app', version: '1.0.0', dependencies },
    ...('left-pad' in dependencies && {
      'node_modules/left-pad': {
        version: '1.3.0',
        resolved: 'https://registry.npmjs.org/left-pad/-/left-pad-1.3.0.tgz',
        integrity: LEFT_PAD_INTEGRITY,
      },
    }),
  },
});

describe('install', () => {
  const store = sharedToolchains();
  let registry: RegistryAccess;
  let repository: TestThread;
  const docked = (files: Files) => (repository = new TestThread(files));
  const installs = (input: Partial<InstallInput> = {}) =>
    install(
      { production: false, strictEngines: false, ignoreScripts: false, toolchain: { store, registry }, ...input },
      repository.next(),
    );
  const installed = (name: string) => existsSync(join(repository.paths.workspace, 'node_modules', name));
  const output = () => repository.log().map(({ text }) => text);

  beforeAll(async () => {
    registry = await readRegistryAccess();
  });
  afterEach(() => repository.dispose());

  describe('by npm', () => {
    it('follows the lockfile exactly, and tells its phases', async () => {
      docked({ 'package.json': manifest(), 'package-lock.json': packageLock(LEFT_PAD) });
      const { result, record } = await installs();
      expect(result).toMatchObject({ frozen: true, scriptsNotRun: [], warnings: [] });
      expect(result.packageManager).toMatchObject({ wanted: null, used: 'npm', why: 'it wrote package-lock.json' });
      expect(result.node).toMatchObject({ wanted: null, used: process.version.slice(1) });
      expect(record).toMatchObject({ nodePath: process.execPath, production: false, packageManager: { name: 'npm' } });
      expect(repository.progress[0]).toBe('toolchain');
      expect(repository.progress).toContain('fetching');
      expect(installed('left-pad')).toBe(true);
    });

    it('installs all the same when the lockfile does not fit, says so, and leaves the working tree as it is', async () => {
      const lockfile = packageLock({});
      docked({ 'package.json': manifest(), 'package-lock.json': lockfile });
      const { result } = await installs();
      expect(result.frozen).toBe(false);
      expect(result.warnings).toEqual([expect.stringContaining('package-lock.json does not fit package.json')]);
      expect(installed('left-pad')).toBe(true);
      expect(JSON.parse(repository.read('package-lock.json'))).toEqual(lockfile);
    });

    it('puts dev dependencies in whatever NODE_ENV the server has, and leaves them out for production', async () => {
      process.env.NODE_ENV = 'production';
      docked({ 'package.json': manifest({ devDependencies: IS_NUMBER }), '.npmrc': 'omit=dev\n' });
      await installs();
      expect(installed('is-number')).toBe(true);
      await installs({ production: true });
      expect(installed('is-number')).toBe(false);
      expect(installed('left-pad')).toBe(true);
      process.env.NODE_ENV = 'test';
    });

    it('gives scripts a home of their own and nothing of the server', async () => {
      process.env.STATION_SECRET = 'secret';
      docked({
        'package.json': manifest({ scripts: { postinstall: 'env' } }),
        '.npmrc': 'prefix=/nowhere/else\ncache=/nowhere/else\n',
      });
      await installs();
      const variables = output();
      expect(variables).toContain(`HOME=${repository.paths.home}`);
      expect(variables).toContain(`npm_config_cache=${repository.paths.home}/.npm`);
      expect(variables.filter((line) => /STATION_SECRET|nowhere/.test(line))).toEqual([]);
      delete process.env.STATION_SECRET;
    });

    it('names exit code and last lines when a script fails, and can be tried again', async () => {
      docked({ 'package.json': manifest({ scripts: { postinstall: 'echo last words >&2; exit 3' } }) });
      await expect(installs()).rejects.toMatchObject({
        code: 'INSTALL_FAILED',
        context: { exitCode: 3, lastLines: expect.arrayContaining(['last words']) as string[] },
      });
      repository.write({ 'package.json': manifest() });
      await expect(installs()).resolves.toMatchObject({ result: { packageManager: { used: 'npm' } } });
    });

    it('lists the scripts that it was told not to run', async () => {
      const scripts = { postinstall: 'touch ran' };
      docked({ 'package.json': manifest({ dependencies: WITH_SCRIPT, scripts }) });
      const { result } = await installs({ ignoreScripts: true });
      expect(result.scriptsNotRun).toEqual(['@scarf/scarf@1.4.0']);
      expect(existsSync(join(repository.paths.workspace, 'ran'))).toBe(false);
    });

    it.each([
      ['evil@1', 'evil@1 is not known here'],
      ['npm@99.99.99', 'npm@99.99.99 is not available'],
    ])(
      'stands in for %s and says why',
      async (packageManager, why) => {
        docked({ 'package.json': manifest({ packageManager }) });
        const { result } = await installs();
        expect(result.packageManager).toMatchObject({ wanted: packageManager, used: 'npm' });
        expect(result.packageManager.why).toContain(why);
      },
      30_000,
    );
  });

  describe('by another manager', () => {
    itInMatrix(
      'is done by pnpm in a pnpm workspace, again over what another store left behind',
      async () => {
        docked({
          'package.json': manifest({ dependencies: WITH_SCRIPT }),
          'pnpm-workspace.yaml': 'packages:\n  - packages/*\n',
          'packages/a/package.json': { name: 'a', version: '1.0.0', dependencies: { b: 'workspace:*' } },
          'packages/b/package.json': { name: 'b', version: '1.0.0', dependencies: LEFT_PAD },
          '.pnpmfile.cjs': 'require("fs").writeFileSync("ran", "")',
        });
        const { result } = await installs({ ignoreScripts: true });
        expect(result.packageManager).toMatchObject({ used: 'pnpm', why: 'there is a pnpm-workspace.yaml' });
        expect(existsSync(join(repository.paths.workspace, 'packages/a/node_modules/b/package.json'))).toBe(true);
        expect(existsSync(join(repository.paths.workspace, 'ran'))).toBe(false);

        rmSync(join(repository.paths.workspace, '.pnpmfile.cjs'));
        rmSync(repository.paths.home, { recursive: true });
        repository.paths.home += '-moved';
        const again = await installs();
        expect(again.result).toMatchObject({ scriptsNotRun: ['@scarf/scarf@1.4.0'] });
        expect(existsSync(join(repository.paths.workspace, 'packages/b/node_modules/left-pad/package.json'))).toBe(
          true,
        );
      },
      60_000,
    );

    it('is never done by npm where only pnpm can', async () => {
      docked({ 'package.json': manifest(), 'pnpm-workspace.yaml': 'packages:\n  - packages/*\n' });
      await expect(installs({ packageManager: 'npm' })).rejects.toMatchObject({ code: 'PACKAGE_MANAGER_UNAVAILABLE' });
    });

    it('is done by yarn 1 for its lockfile', async () => {
      const resolved =
        'https://registry.yarnpkg.com/left-pad/-/left-pad-1.3.0.tgz#5b8a3a7765dfe001261dde915589e782f8c94d1e';
      const entry = `left-pad@1.3.0:\n  version "1.3.0"\n  resolved "${resolved}"\n  integrity ${LEFT_PAD_INTEGRITY}\n`;
      docked({ 'package.json': manifest(), 'yarn.lock': `# yarn lockfile v1\n\n\n${entry}` });
      const { result } = await installs();
      expect(result).toMatchObject({ frozen: true, packageManager: { used: 'yarn', why: 'it wrote yarn.lock' } });
      expect(result.packageManager.version).toMatch(/^1\.22\./);
      expect(installed('left-pad')).toBe(true);
    });

    it('is done by yarn 4 at the version named, not by the program in the repository', async () => {
      docked({
        'package.json': manifest({ packageManager: 'yarn@4.9.1', devDependencies: IS_NUMBER }),
        '.yarnrc.yml': 'yarnPath: .yarn/releases/yarn-4.9.1.cjs\nnodeLinker: node-modules\n',
        '.yarn/releases/yarn-4.9.1.cjs': 'require("fs").writeFileSync("ran", "")',
      });
      const { result } = await installs({ production: true });
      expect(result).toMatchObject({ frozen: false, packageManager: { wanted: 'yarn@4.9.1', version: '4.9.1' } });
      expect([installed('left-pad'), installed('is-number')]).toEqual([true, false]);
      expect((await installs()).result.frozen).toBe(true);
      expect(installed('is-number')).toBe(true);
      expect(existsSync(join(repository.paths.workspace, 'ran'))).toBe(false);
    }, 60_000);

    it('is done by bun, which lists what it did not run each time', async () => {
      docked({
        'package.json': manifest({
          dependencies: { ...LEFT_PAD, ...WITH_SCRIPT_FOR_BUN },
          packageManager: 'bun@1.2.22',
        }),
      });
      const expected = { packageManager: { version: '1.2.22' }, scriptsNotRun: ['core-js-pure@3.40.0'] };
      expect((await installs()).result).toMatchObject({ frozen: false, ...expected });
      expect((await installs()).result).toMatchObject({ frozen: true, ...expected });
      expect(installed('left-pad')).toBe(true);
    }, 60_000);

    it('is refused when the package manager is not the one that its hash was taken of', async () => {
      docked({ 'package.json': manifest({ packageManager: `yarn@1.22.22+sha1.${'0'.repeat(40)}` }) });
      await expect(installs()).rejects.toMatchObject({ code: 'PACKAGE_MANAGER_UNAVAILABLE' });
      repository.write({
        'package.json': manifest({ packageManager: 'yarn@1.22.22+sha1.ac34549e6aa8e7ead463a7407e1c7390f61a6610' }),
      });
      expect((await installs()).result.packageManager).toMatchObject({ version: '1.22.22' });
    });
  });

  describe('with a newer Node.js than the station has', () => {
    itInMatrix(
      'compiles a native module for it without another download',
      async () => {
        const scripts = { postinstall: `node -p "process.version + ' ' + require('./build/Release/answer.node')"` };
        docked({ ...NATIVE_MODULE, 'package.json': manifest({ engines: { node: '^24' }, scripts }) });
        const { result, record } = await installs();
        expect(result.node).toMatchObject({ wanted: '^24', used: expect.stringMatching(/^24\./) as string });
        expect(result.node.why).toContain('from the registry');
        expect(output()).toContain(`v${result.node.used} 42`);
        expect(record.nodePath).toContain(store);
        expect(lstatSync(record.nodePath).mode & 0o222).toBe(0);
        expect(readFileSync(join(record.binPaths[0] ?? '', 'npm'), 'utf8')).toContain(record.nodePath);
      },
      60_000,
    );

    it('warns of one that is not available, and fails by it when that is asked for', async () => {
      docked({ 'package.json': manifest({ engines: { node: '>=99' } }) });
      const { result } = await installs();
      expect(result.warnings).toEqual([expect.stringContaining('asks for Node.js ">=99", which is not available')]);
      await expect(installs({ strictEngines: true })).rejects.toMatchObject({ code: 'ENGINE_MISMATCH' });
    });
  });

  describe('without a registry', () => {
    const unreachable: RegistryAccess = { url: 'http://127.0.0.1:9/', strictSsl: true };

    it('fails by that name', async () => {
      docked({ 'package.json': manifest() });
      const toolchain = { store, registry: unreachable };
      await expect(installs({ toolchain })).rejects.toMatchObject({ code: 'REGISTRY_UNREACHABLE', retryable: true });
    });

    it('has no stand-in for the manager of a workspace', async () => {
      docked({ 'package.json': manifest(), 'pnpm-workspace.yaml': 'packages:\n  - packages/*\n' });
      const toolchain = { store: join(repository.paths.staging, 'toolchains'), registry: unreachable };
      const failure = { code: 'PACKAGE_MANAGER_UNAVAILABLE', retryable: true };
      await expect(installs({ toolchain })).rejects.toMatchObject(failure);
    });
  });

  describe('of a repository that is none of its kind', () => {
    it.each([
      [{}, 'NO_PACKAGE_JSON'],
      [{ 'package.json': '{' }, 'BAD_PACKAGE_JSON'],
    ])('with %j fails as %s', async (files, code) => {
      docked(files);
      await expect(installs()).rejects.toMatchObject({ code });
    });

    it('does not wait for a pipe in place of a file', async () => {
      docked({ 'package.json': manifest() });
      execFileSync('mkfifo', [join(repository.paths.workspace, '.npmrc')]);
      await expect(installs()).rejects.toMatchObject({
        code: 'INSTALL_FAILED',
        message: '.npmrc is a named pipe, and the package manager would wait for it',
      });
    });

    it('does not follow a node_modules that leads out of it', async () => {
      docked({ 'package.json': manifest() });
      const outside = mkdtempSync(join(tmpdir(), 'outside-'));
      symlinkSync(outside, join(repository.paths.workspace, 'node_modules'));
      const { result } = await installs();
      expect(result.warnings).toEqual(['node_modules was a link that led out of the repository, and was removed']);
      expect(existsSync(join(outside, 'left-pad'))).toBe(false);
      expect(installed('left-pad')).toBe(true);
      rmSync(outside, { recursive: true });
    });
  });
});
