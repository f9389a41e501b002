import { lookup } from 'node:dns/promises';
import { isIPv6 } from 'node:net';
import { Failure } from '../../../contracts/failure.js';
import type { GitAccess } from '../../../contracts/operations.js';
import {
  hostPort,
  isPublicAddress,
  literalAddress,
  refuseForbiddenHost,
  type RepositoryUrl,
} from '../../../contracts/repository-url.js';
import { abortable } from './abortable.js';

export interface Address {
  address: string;
  family: 4 | 6;
}

/** Resolves a name to all of its addresses; tests put a name server's answers in its place. */
export type Resolver = (host: string) => Promise<string[]>;

const resolveAll: Resolver = async (host) => (await lookup(host, { all: true })).map(({ address }) => address);

/**
 * The addresses of the URL's host, each of which was checked. Whoever connects must connect to these and not ask again:
 * a name server may give another answer the second time.
 * GIT_HOST_NOT_ALLOWED when one of them is not public and the `host:port` is not allowed; GIT_UNREACHABLE when there is none.
 */
export async function checkedAddresses(
  url: RepositoryUrl,
  { allowedHosts }: Pick<GitAccess, 'allowedHosts'>,
  signal: AbortSignal,
  resolve: Resolver = resolveAll,
): Promise<Address[]> {
  refuseForbiddenHost(url, allowedHosts);
  const literal = literalAddress(url.host);
  const addresses = literal ? [literal] : await abortable(addressesOf(url.host, resolve), signal);
  const forbidden = allowedHosts.includes(hostPort(url)) ? undefined : addresses.find((one) => !isPublicAddress(one));
  if (forbidden !== undefined) {
    throw new Failure('GIT_HOST_NOT_ALLOWED', `${url.host} has an address that is not public (${forbidden})`);
  }
  return addresses.map((address) => ({ address, family: isIPv6(address) ? 6 : 4 }));
}

async function addressesOf(host: string, resolve: Resolver): Promise<string[]> {
  try {
    return await resolve(host);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new Failure('GIT_UNREACHABLE', `The host name ${host} cannot be resolved (${code})`, {
      retryable: code !== 'ENOTFOUND', // a name server that does not answer now may later; a name that does not exist will not
      cause: error,
    });
  }
}
