import { Failure } from './failure.js';
import type { GitCredentials } from './operations.js';
import { isPublicAddress, literalAddress } from './public-address.js';

export { validateBranch } from './branch-name.js';
export { isPublicAddress, literalAddress } from './public-address.js';
export { baseRepoId, urlHash, validateRepoId } from './repository-id.js';

export interface RepositoryUrl {
  /** Lower-case host without a trailing dot; no credentials, default port, trailing slash or `.git`; path case kept. */
  canonicalUrl: string;
  protocol: 'https' | 'http' | 'ssh';
  /** As in a URL: an IPv6 address stands in brackets, an IPv4 address in dotted notation. */
  host: string;
  port: number;
  /** Without a slash at its beginning where it is relative to the home of `user`, as in `git@host:owner/repo`. */
  path: string;
  /** ssh only. */
  user?: string;
  /** From the userinfo of an https URL. */
  credentials?: GitCredentials;
}

const DEFAULT_PORTS = { https: 443, http: 80, ssh: 22 };
const MAX_URL_CHARS = 2048;

type Rule = [forbidden: RegExp, reason: string];

/** What no URL of a repository contains, in whatever form. */
const FORBIDDEN: Rule[] = [
  [/^$/, 'it is empty'],
  [/\p{Cc}|%(0[0-9a-f]|1[0-9a-f]|7f)/iu, 'it contains a control character'],
  [/\s/, 'it contains a space'],
  [/^-/, 'it begins with "-"'],
  [/\\/, 'it contains a backslash'],
  [/%(?![0-9a-f]{2})/i, 'it contains a "%" that encodes nothing'],
  [/[?#]/, 'it contains a query or a fragment'],
];

/** Encoded dots and slashes would get past the check of segments. A password may well contain them. */
const FORBIDDEN_IN_PATH: Rule[] = [
  [/%2e|%2f|%5c/i, 'it contains an encoded dot, slash or backslash'],
  [/%20/, 'it contains a space'],
  [/(^|\/)\.{1,2}(\/|$)/, 'its path contains "." or ".."'],
];

/**
 * Takes a URL apart and says what is wrong with it. Pure: no look-up, no request. INVALID_URL.
 * http parses too; `refuseForbiddenHost` says where it may be used.
 */
export function parseRepositoryUrl(input: string): RepositoryUrl {
  if (input.length > MAX_URL_CHARS) throw invalid(`it is longer than ${MAX_URL_CHARS} characters`);
  refuseBroken(input, FORBIDDEN);
  const [, scheme, rest = ''] = /^([a-z][a-z0-9+.-]*):\/\/(.*)$/i.exec(input) ?? [];
  if (scheme === undefined) return parseScpForm(input);
  const protocol = scheme.toLowerCase();
  if (protocol !== 'https' && protocol !== 'http' && protocol !== 'ssh')
    throw invalid(`${protocol}:// is not supported`);
  const slash = rest.indexOf('/');
  if (slash < 0) throw invalid('it names no repository');
  const authority = rest.slice(0, slash);
  const at = authority.lastIndexOf('@');
  const { host, port = DEFAULT_PORTS[protocol] } = parseHost(authority.slice(at + 1));
  const userinfo = at < 0 ? undefined : parseUserinfo(authority.slice(0, at));
  const path = cleanPath(rest.slice(slash));
  const place = port === DEFAULT_PORTS[protocol] ? host : `${host}:${port}`;
  if (protocol === 'ssh') {
    if (userinfo?.password) throw invalid('ssh takes no password; pass a private key as credentials');
    const user = sshUser(userinfo?.username);
    return { canonicalUrl: `ssh://${user}@${place}/${path}`, protocol, host, port, path: `/${path}`, user };
  }
  const { pathname } = new URL(`${protocol}://${host}/${path}`);
  return {
    canonicalUrl: `${protocol}://${place}${pathname}`,
    protocol,
    host,
    port,
    path: pathname,
    ...(userinfo && { credentials: asCredentials(userinfo) }),
  };
}

/** `host:port`, as GIT_ALLOWED_HOSTS lists it. */
export const hostPort = ({ host, port }: Pick<RepositoryUrl, 'host' | 'port'>): string => `${host}:${port}`;

/** GIT_HOST_NOT_ALLOWED for http and for addresses that are not public, unless `allowedHosts` has the `host:port`. */
export function refuseForbiddenHost(url: RepositoryUrl, allowedHosts: readonly string[]): void {
  if (allowedHosts.includes(hostPort(url))) return;
  if (url.protocol === 'http') {
    throw new Failure('GIT_HOST_NOT_ALLOWED', `http is not encrypted, and not allowed for ${hostPort(url)}`, {
      suggestion: 'Use https, or ask the administrator to add host:port to GIT_ALLOWED_HOSTS.',
    });
  }
  const address = literalAddress(url.host);
  const isLocal = address === undefined ? /^(.*\.)?localhost$/.test(url.host) : !isPublicAddress(address);
  if (isLocal) throw new Failure('GIT_HOST_NOT_ALLOWED', `${hostPort(url)} is not on the public internet`);
}

/** `user@host:path`. */
function parseScpForm(input: string): RepositoryUrl {
  const [, userText, hostText, pathText] = /^([^@/:]+)@(\[[^\]]+\]|[^/:@[\]]+):([^:].*)$/.exec(input) ?? [];
  if (userText === undefined || hostText === undefined || pathText === undefined) {
    throw invalid('it is neither https://, ssh:// nor user@host:path');
  }
  if (pathText.startsWith('-')) throw invalid('its path begins with "-"');
  const user = sshUser(userText);
  const { host } = parseHost(hostText);
  const path = cleanPath(pathText);
  // An absolute path is the same as in ssh://; a relative one cannot be said in that form.
  const absolute = pathText.startsWith('/');
  return {
    canonicalUrl: absolute ? `ssh://${user}@${host}/${path}` : `${user}@${host}:${path}`,
    protocol: 'ssh',
    host,
    port: DEFAULT_PORTS.ssh,
    path: absolute ? `/${path}` : path,
    user,
  };
}

/** Every notation of an address (2130706433, 0x7f.1) becomes the common one, whatever the scheme. */
function parseHost(text: string): { host: string; port?: number } {
  const [, name = '', portText] = /^(\[[^\]]*\]|[^:]*)(?::(\d*))?$/.exec(text) ?? [];
  const url = `http://${name}/`;
  const host = URL.canParse(url) ? new URL(url).hostname.replace(/\.$/, '') : '';
  if (!/^(\[[0-9a-f:.]+\]|[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?)$/.test(host) || host.includes('..')) {
    throw invalid('its host is not valid');
  }
  const port = portText ? Number(portText) : undefined;
  if (port === 0 || (port ?? 0) > 65_535) throw invalid('its port is not valid');
  return { host, port };
}

/** Without slashes around it and without `.git`; refuses what would lead elsewhere. */
function cleanPath(text: string): string {
  const segments = text.split('/').filter(Boolean);
  const last = segments.pop();
  if (last === undefined) throw invalid('it names no repository');
  segments.push(last.replace(/(?<=.)(\.git)+$/, ''));
  const path = segments.join('/');
  refuseBroken(path, FORBIDDEN_IN_PATH);
  return path;
}

function parseUserinfo(text: string): { username: string; password: string } {
  const [username = '', ...password] = text.split(':');
  try {
    return { username: decodeURIComponent(username), password: decodeURIComponent(password.join(':')) };
  } catch {
    throw invalid('its credentials are not encoded as UTF-8'); // without the cause, which holds them
  }
}

/** A token alone stands where the user would: `https://TOKEN@host/`. */
function asCredentials({ username, password }: { username: string; password: string }): GitCredentials | undefined {
  if (password) return { username, token: password };
  return username ? { token: username } : undefined;
}

function sshUser(user: string | undefined): string {
  if (user === undefined || user === '') return 'git';
  if (!/^[A-Za-z0-9_.][\w.+~-]*$/.test(user)) throw invalid('its user name is not valid');
  return user;
}

function refuseBroken(text: string, rules: Rule[]): void {
  const broken = rules.find(([forbidden]) => forbidden.test(text));
  if (broken) throw invalid(broken[1]);
}

/** The URL itself is not repeated: it may hold a token. */
const invalid = (reason: string): Failure => new Failure('INVALID_URL', `The repository URL is not valid: ${reason}`);
