import { Failure } from '../../contracts/failure.js';
import { checkRunEnv } from './run-env.js';

const failureOf = (env: Record<string, unknown>, port?: number): Failure => {
  try {
    checkRunEnv(env, port);
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
  throw new Error('nothing was refused');
};

describe('The environment of a run', () => {
  it('takes what apps are commonly given', () => {
    const env = {
      NODE_ENV: 'production',
      API_KEY: 'x',
      MCP_AGENT_MODE: 'docked',
      npm_token: 'x',
      DEBUG: '',
      'a.b-c': '1',
    };
    expect(() => checkRunEnv(env)).not.toThrow();
  });

  it.each([
    'LD_PRELOAD',
    'LD_AUDIT',
    'ld_library_path',
    'DYLD_INSERT_LIBRARIES',
    'NODE_OPTIONS',
    'node_options',
    'NODE_PATH',
    'PATH',
    'Path',
    'HOME',
    'TMPDIR',
    'BASH_ENV',
    'BASH_FUNC_cd%%',
    'ENV',
    'IFS',
    'Prompt_Command',
    'SHELLOPTS',
    'NODE_CHANNEL_FD',
    'GIT_SSH_COMMAND',
    'git_dir',
    'npm_config_script_shell',
    'NPM_CONFIG_PREFIX',
    'npm_config_registry',
    'npm_execpath',
    'NPM_lifecycle_event',
    'pnpm_config_script_shell',
    'PNPM_HOME',
    'yarn_rc_filename',
    'COREPACK_NPM_REGISTRY',
    'BUN_INSTALL',
    'XDG_CONFIG_HOME',
    'docking_station_tree',
    'DOCKING_STATION_TREE',
    'constructor',
    'toString',
    'A=B',
    'A\0B',
    '',
  ])('refuses the name %j', (name) => {
    const failure = failureOf({ [name]: 'secret' });
    expect(failure.code).toBe('ENV_NOT_ALLOWED');
    expect(failure.message).not.toContain('secret');
  });

  it('refuses __proto__ as it comes out of JSON', () => {
    const env = JSON.parse('{"__proto__": "x"}') as Record<string, unknown>;
    expect(failureOf(env)).toMatchObject({ code: 'ENV_NOT_ALLOWED', context: { name: '__proto__' } });
  });

  it.each([[1], [true], [null], [{}], [['a']], ['a\0b'], ['x'.repeat(131_072)]])(
    'refuses a value that no environment can hold (%#)',
    (value) => {
      const failure = failureOf({ NAME: value });
      expect(failure.code).toBe('BAD_REQUEST');
      expect(failure.message).toContain('env.NAME');
    },
  );

  it('is not without end', () => {
    const env = Object.fromEntries(Array.from({ length: 1_000 }, (_, index) => [`A${index}`, '']));
    expect(() => checkRunEnv(env)).not.toThrow();
    expect(failureOf({ ...env, B: '' })).toMatchObject({
      code: 'BAD_REQUEST',
      message: expect.stringContaining('1001'),
    });
  });

  it('takes PORT only where it says what port says', () => {
    expect(() => checkRunEnv({ PORT: '3000' }, 3000)).not.toThrow();
    expect(failureOf({ PORT: '3000' }, 4000).code).toBe('ENV_NOT_ALLOWED');
    expect(failureOf({ PORT: '3000' }).suggestion).toContain('port');
  });
});
