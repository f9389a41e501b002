import { rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { Failure } from '../../../contracts/failure.js';
import type { RegistryAccess } from '../../../contracts/operations.js';

/** Files of a repository's home that the station writes. */
export const USER_CONFIGURATION = ['.npmrc', '.yarnrc.yml'];

/**
 * The registry goes into the user's configuration, not into the environment: a repository that brings a registry of its
 * own, in its .npmrc or .yarnrc.yml, then keeps it. Every manager but yarn 2 and later reads .npmrc.
 */
export function writeUserConfiguration(home: string, registry: RegistryAccess): void {
  const { url, cafile, strictSsl, httpProxy, httpsProxy, noProxy } = registry;
  const npmrc = {
    registry: url,
    cafile,
    'strict-ssl': String(strictSsl),
    proxy: httpProxy,
    'https-proxy': httpsProxy,
    noproxy: noProxy,
  };
  const yarnrc = {
    npmRegistryServer: url.replace(/\/$/, ''),
    enableStrictSsl: strictSsl,
    httpProxy,
    httpsProxy,
    unsafeHttpWhitelist: url.startsWith('http:') ? [new URL(url).hostname] : [],
  };
  const lines = Object.entries(npmrc).flatMap(([key, value]) => (value === undefined ? [] : [`${key}=${value}\n`]));
  writeAnew(join(home, '.npmrc'), lines.join(''));
  writeAnew(join(home, '.yarnrc.yml'), JSON.stringify(yarnrc)); // JSON is YAML
}

/** Never through a link that a script of the repository has left in its place. */
function writeAnew(path: string, text: string): void {
  try {
    rmSync(path, { recursive: true, force: true });
    writeFileSync(path, text, { flag: 'wx', mode: 0o600 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOSPC') throw error;
    throw new Failure(
      'INSTALL_FAILED',
      `${basename(path)} in the home of the repository cannot be replaced (${code})`,
      {
        suggestion: 'Unload the repository and clone it again.',
        cause: error,
      },
    );
  }
}
