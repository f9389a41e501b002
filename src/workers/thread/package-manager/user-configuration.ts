import { Failure } from '../../../contracts/failure.js';
import type { RegistryAccess } from '../../../contracts/operations.js';
import type { OperationThread } from '../operation-thread.js';
import { putFile } from '../workspace/put-file.js';

type Thread = Pick<OperationThread, 'context' | 'sandbox'>;

/**
 * The registry goes into the user's configuration, not into the environment: a repository that brings a registry of its
 * own, in its .npmrc or .yarnrc.yml, then keeps it. Every manager but yarn 2 and later reads .npmrc.
 */
export async function writeUserConfiguration(registry: RegistryAccess, thread: Thread): Promise<void> {
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
  await putIntoHome('.npmrc', lines.join(''), thread);
  await putIntoHome('.yarnrc.yml', JSON.stringify(yarnrc), thread); // JSON is YAML
}

/** An app may be running, and have put anything into its place. */
async function putIntoHome(name: string, text: string, thread: Thread): Promise<void> {
  try {
    await putFile(thread.context.paths.home, name, text, thread);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOSPC') throw error;
    throw new Failure('INSTALL_FAILED', `${name} in the home of the repository cannot be replaced (${code})`, {
      suggestion: 'Unload the repository and clone it again.',
      cause: error,
    });
  }
}
