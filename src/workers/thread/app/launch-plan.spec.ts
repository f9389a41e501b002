import { TestThread } from '../../../../test/support/operation-thread.js';
import type { InstallRecord, RunInput } from '../../../contracts/operations.js';
import type { PackageManagerName } from '../../../contracts/shapes.js';
import { planLaunch } from './launch-plan.js';

describe('the commands that start a script', () => {
  let thread: TestThread;
  const scripts = { prestart: 'echo before', start: 'node .', poststart: 'echo after' };
  beforeEach(() => {
    const config = { port: 8080, 'a-list': [true], nothing: null };
    thread = new TestThread({ 'package.json': { name: '@an/app', version: '1.2.3', scripts, config } });
  });
  afterEach(() => thread.dispose());

  function plan(name: PackageManagerName, version: string, more: Partial<RunInput> = {}) {
    const installed: InstallRecord = {
      packageManager: { name, wanted: null, used: name, version, why: '' },
      node: { wanted: null, used: '22.1.0', why: '' },
      nodePath: process.execPath,
      binPaths: [thread.paths.workspace],
      fingerprint: '',
      production: false,
    };
    const input: RunInput = {
      port: 3000,
      appPort: 3000,
      host: '127.0.0.1',
      env: {},
      background: true,
      readyTimeoutMs: 0,
      installed,
      stopGraceMs: 0,
      restarts: 0,
      toolchain: { store: '', registry: { url: '', strictSsl: true } },
      ...more,
    };
    return planLaunch(input, thread.next());
  }

  it.each<[PackageManagerName, string, string[]]>([
    ['npm', '10.8.2', ['echo before', 'node .', 'echo after']],
    ['yarn', '1.22.22', ['echo before', 'node .', 'echo after']],
    ['pnpm', '10.12.4', ['echo before', 'node .', 'echo after']],
    ['pnpm', '8.15.9', ['node .']],
    ['yarn', '4.9.2', ['start']],
    ['bun', '1.2.0', ['start']],
  ])('are those of %s %s', async (name, version, expected) => {
    const { commands } = await plan(name, version);
    expect(commands.map(({ args }) => args.at(-1))).toEqual(expected);
    expect(commands.every(({ purpose, stdin }) => purpose === 'app' && stdin === 'open')).toBe(true);
  });

  it('tell programs which manager and Node.js run them', async () => {
    const [command] = (await plan('pnpm', '10.12.4')).commands;
    expect(command?.env).toMatchObject({
      npm_config_user_agent: `pnpm/10.12.4 npm/? node/v22.1.0 ${process.platform} ${process.arch}`,
      npm_package_name: '@an/app',
      npm_package_config_port: '8080',
      npm_package_config_a_list_0: 'true',
    });
    expect(command?.env).not.toHaveProperty('npm_package_config_nothing');
  });

  it.each(['start\0--bind\0/\0/', 'prestart', 'start'])('are none where a NUL is in %j', async (name) => {
    const odd = { start: 'node .', [name]: name.includes('\0') ? 'node .' : 'node .\0' };
    thread.write({ 'package.json': { scripts: odd } });
    const script = name === 'prestart' ? 'start' : name;
    await expect(plan('npm', '10.8.2', { script })).rejects.toMatchObject({ code: 'BAD_PACKAGE_JSON' });
  });

  it.each([
    ['a long value', { config: { long: 'x'.repeat(131_072) } }],
    ['a long name', { config: { ['x'.repeat(131_072)]: 1 } }],
    ['many entries', { config: Array.from({ length: 1_001 }, () => 1) }],
    ['more than any memory holds', { config: { ['x'.repeat(900)]: Array.from({ length: 400_000 }, () => 1) } }],
    ['a long script', { scripts: { start: 'x'.repeat(131_072) } }],
    ['a long script before it', { scripts: { prestart: 'ä'.repeat(65_536), start: 'node .' } }],
  ])('are none where package.json has more than a process can be given: %s', async (_, manifest) => {
    thread.write({ 'package.json': { scripts, ...manifest } });
    await expect(plan('npm', '10.8.2')).rejects.toMatchObject({ code: 'BAD_PACKAGE_JSON' });
  });

  it("let the caller's variables stand above those of the machine, and below those of the start", async () => {
    const env = { TZ: 'Asia/Tokyo', PORT: '1', npm_execpath: '/evil' };
    const [command] = (await plan('npm', '10.8.2', { env })).commands;
    expect(command?.env).toMatchObject({ TZ: 'Asia/Tokyo', PORT: '3000' });
    expect(command?.env.npm_execpath).toBe(`${thread.paths.workspace}/npm`);
  });
});
