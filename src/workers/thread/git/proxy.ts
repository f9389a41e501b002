import type { RepositoryUrl } from '../../../contracts/repository-url.js';

/**
 * Whether git reaches this URL through the server's proxy, by curl's rules for these variables. The proxy then resolves
 * the name, so that no address can be pinned: which hosts may be reached is the proxy's to say.
 */
export function usesProxy({ protocol, host }: RepositoryUrl, environment: NodeJS.ProcessEnv = process.env): boolean {
  if (protocol === 'ssh') return false;
  // curl takes HTTP_PROXY in lower case only, as a CGI program's upper-case one comes from a request header.
  const own = protocol === 'http' ? environment.http_proxy : (environment.https_proxy ?? environment.HTTPS_PROXY);
  const proxy = own ?? environment.all_proxy ?? environment.ALL_PROXY;
  if (!proxy) return false;
  const exceptions = (environment.no_proxy ?? environment.NO_PROXY ?? '').split(/[\s,]+/).filter(Boolean);
  const name = host.replace(/^\[|\]$/g, '');
  return !exceptions.some((entry) => {
    const domain = entry.toLowerCase().replace(/^\[|\]$|^\*?\./g, '');
    return entry === '*' || name === domain || name.endsWith(`.${domain}`);
  });
}
