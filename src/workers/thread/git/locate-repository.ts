import { Failure } from '../../../contracts/failure.js';
import type { GitAccess, GitCredentials } from '../../../contracts/operations.js';
import {
  literalAddress,
  parseRepositoryUrl,
  refuseForbiddenHost,
  type RepositoryUrl,
} from '../../../contracts/repository-url.js';
import { shortened } from '../../../machine/bounded.js';
import { checkedAddresses, type Address } from './addresses.js';
import { ADVERTISEMENT, probe, type ProbeAnswer } from './probe.js';
import { usesProxy } from './proxy.js';

/** Where a repository really is. */
export interface RepositoryPlace {
  url: RepositoryUrl;
  /** For git: the URL as the host wants it, such as with `.git`. */
  fetchUrl: string;
  /** Those that ssh may connect to; http's stand in `config`. */
  addresses: Address[];
  config: string[];
  /** Those that were given, unless the repository is on another host than they were given for. */
  credentials?: GitCredentials;
}

const MAX_REDIRECTS = 3;
/** By this git knows a host of repositories; the old protocol of plain files knows no shallow clones. */
const REPOSITORY_TYPE = 'application/x-git-upload-pack-advertisement';

/**
 * Finds the repository before git is started: checks the host's addresses, and follows redirects (GitLab adds `.git`,
 * GitHub renames) itself, as git would follow them to anywhere. git then goes to the place found, and nowhere else.
 */
export async function locateRepository(
  asked: RepositoryUrl,
  access: GitAccess,
  signal: AbortSignal,
): Promise<RepositoryPlace> {
  if (usesProxy(asked)) return behindProxy(asked, access, signal);
  if (asked.protocol === 'ssh') {
    const addresses = await checkedAddresses(asked, access, signal);
    return { url: asked, fetchUrl: asked.canonicalUrl, addresses, config: [], credentials: access.credentials };
  }
  let [url, fetchUrl] = [asked, asked.canonicalUrl];
  for (let redirects = 0; redirects <= MAX_REDIRECTS;) {
    const credentials = isSameOrigin(url, asked) ? access.credentials : undefined;
    const addresses = await checkedAddresses(url, access, signal);
    const answer = await ask(fetchUrl, addresses, credentials, signal);
    if (answer.location !== undefined && answer.status >= 300 && answer.status < 400) {
      [url, fetchUrl] = repositoryAt(answer.location);
      redirects += 1;
    } else if ((answer.status === 404 || isPage(answer)) && !fetchUrl.endsWith('.git')) {
      fetchUrl += '.git'; // which the canonical URL has lost, and which a few hosts insist on
    } else {
      refuseUnreadable(answer, url, credentials !== undefined);
      return { url, fetchUrl, addresses, config: pinned(url, addresses), credentials };
    }
  }
  throw new Failure('GIT_UNREACHABLE', `More than ${MAX_REDIRECTS} redirects: ${asked.canonicalUrl}`);
}

/** Asks without credentials first, as git does: a host may refuse what it would show to everybody to a stale token. */
async function ask(
  url: string,
  addresses: Address[],
  credentials: GitCredentials | undefined,
  signal: AbortSignal,
): Promise<ProbeAnswer> {
  const answer = await probe(url, { addresses, signal });
  if (answer.status !== 401 || !credentials || !('token' in credentials)) return answer;
  return probe(url, { addresses, signal, basic: basicOf(credentials) });
}

/** Where a token needs no user's name, hosts ask for any at all. */
export const basicOf = ({ username, token }: { username?: string; token: string }) => ({
  username: username ?? 'x-access-token',
  password: token,
});

const isPage = ({ status, contentType }: ProbeAnswer): boolean => status === 200 && contentType !== REPOSITORY_TYPE;

function refuseUnreadable(answer: ProbeAnswer, { canonicalUrl }: RepositoryUrl, hadCredentials: boolean): void {
  const { status, contentType } = answer;
  if (status === 200 && !isPage(answer)) return;
  if (status === 401 || status === 403) {
    const reason = hadCredentials
      ? 'does not accept the credentials'
      : 'asks for credentials, or has no such repository';
    throw new Failure('GIT_AUTH_REQUIRED', `The Git host ${reason} (${status}): ${canonicalUrl}`);
  }
  if (status === 429 || status >= 500) {
    throw new Failure('GIT_UNREACHABLE', `The Git host cannot answer now (${status}): ${canonicalUrl}`);
  }
  if (status === 404 || status === 410) {
    throw new Failure('GIT_REPOSITORY_NOT_FOUND', `The Git host has no such repository (${status}): ${canonicalUrl}`);
  }
  const what = shortened(contentType, 100) || 'no type';
  const reason = `The host answers like none of Git repositories (${status}, ${what})`;
  throw new Failure('GIT_REPOSITORY_NOT_FOUND', `${reason}: ${canonicalUrl}`);
}

/** Without what a host may have put in front of its name: git would keep it in the repository's configuration. */
function repositoryAt(location: string): [RepositoryUrl, fetchUrl: string] {
  const target = new URL(location);
  Object.assign(target, { username: '', password: '' });
  if (/^https?:$/.test(target.protocol) && target.href.endsWith(ADVERTISEMENT)) {
    const fetchUrl = target.href.slice(0, -ADVERTISEMENT.length);
    return [parseRepositoryUrl(fetchUrl), fetchUrl];
  }
  const where = target.host || target.protocol;
  throw new Failure('GIT_REPOSITORY_NOT_FOUND', `The Git host redirects to a page of ${where} that is no repository`);
}

function pinned({ host, port }: RepositoryUrl, addresses: Address[]): string[] {
  const list = addresses.map(({ address, family }) => (family === 6 ? `[${address}]` : address)).join(',');
  return [
    'http.followRedirects=false',
    'http.proxy=', // by no rules of its own either
    ...(literalAddress(host) ? [] : [`http.curloptResolve=${host}:${port}:${list}`]),
  ];
}

/** Names that the proxy alone can resolve are its to judge; what resolves here is judged here as well. */
async function behindProxy(url: RepositoryUrl, access: GitAccess, signal: AbortSignal): Promise<RepositoryPlace> {
  refuseForbiddenHost(url, access.allowedHosts);
  await checkedAddresses(url, access, signal).catch((error: unknown) => {
    if (!(error instanceof Failure) || error.code !== 'GIT_UNREACHABLE') throw error;
  });
  const config = ['http.followRedirects=initial'];
  return { url, fetchUrl: url.canonicalUrl, addresses: [], config, credentials: access.credentials };
}

const isSameOrigin = (one: RepositoryUrl, other: RepositoryUrl): boolean =>
  one.protocol === other.protocol && one.host === other.host && one.port === other.port;
