import { execa } from 'execa';
import type { RegistryAccess } from '../contracts/operations.js';

const DEFAULT_REGISTRY = 'https://registry.npmjs.org/';
/** It takes a third of a second, and on a machine that is starting up much longer. */
const NPM_PATIENCE_MS = 20_000;

/**
 * How the server's own npm reaches the registry: what works for the administrator's `npm ci` works for every repository.
 * Takes about a third of a second; without a working npm the environment alone counts. Never rejects.
 */
export async function readRegistryAccess(env: NodeJS.ProcessEnv = process.env): Promise<RegistryAccess> {
  return toRegistryAccess(await npmConfiguration(env), env);
}

/** `settings` as `npm config ls --json` prints them; npm has already put the environment's `npm_config_*` into them. */
export function toRegistryAccess(settings: Record<string, unknown>, env: NodeJS.ProcessEnv): RegistryAccess {
  const setting = (name: string, ...variables: string[]): string | undefined => {
    const candidates = [settings[name], ...variables.map((variable) => env[variable] ?? env[variable.toUpperCase()])];
    return candidates.find((value): value is string => typeof value === 'string' && value !== '');
  };
  const strictSsl = settings['strict-ssl'] ?? env['npm_config_strict_ssl'] !== 'false';
  return {
    url: (setting('registry', 'npm_config_registry') ?? DEFAULT_REGISTRY).replace(/\/*$/, '/'),
    cafile: setting('cafile', 'npm_config_cafile', 'node_extra_ca_certs'),
    strictSsl: strictSsl !== false,
    httpProxy: setting('proxy', 'npm_config_proxy', 'http_proxy'),
    httpsProxy: setting('https-proxy', 'npm_config_https_proxy', 'https_proxy'),
    noProxy: setting('noproxy', 'npm_config_noproxy', 'no_proxy'),
  };
}

async function npmConfiguration(env: NodeJS.ProcessEnv): Promise<Record<string, unknown>> {
  try {
    const { stdout } = await execa('npm', ['config', 'ls', '--json'], {
      env,
      extendEnv: false,
      stdin: 'ignore',
      timeout: NPM_PATIENCE_MS,
    });
    return JSON.parse(stdout) as Record<string, unknown>;
  } catch {
    return {}; // there is no npm, or it prints something else: the environment alone counts
  }
}
