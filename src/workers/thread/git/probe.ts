import { request as requestHttp, type IncomingHttpHeaders, type RequestOptions } from 'node:http';
import { request as requestHttps } from 'node:https';
import { Failure } from '../../../contracts/failure.js';
import type { Address } from './addresses.js';
import { certificateAuthorities } from './certificates.js';

export interface ProbeAnswer {
  status: number;
  /** Where a redirect leads, absolute; undefined also where that is no address. */
  location?: string;
  contentType: string;
}

interface ProbeOptions {
  /** The only ones that are connected to. */
  addresses: Address[];
  /** Sent at once. */
  basic?: { username: string; password: string };
  signal: AbortSignal;
}

/** What git asks first of every repository; the answer ends with this in a redirect too. */
export const ADVERTISEMENT = '/info/refs?service=git-upload-pack';

const CONNECT_MS = 10_000;
const ANSWER_MS = 60_000;

/** Asks as git does, follows nothing, and reads the head of the answer only. GIT_UNREACHABLE. */
export async function probe(repositoryUrl: string, { addresses, basic, signal }: ProbeOptions): Promise<ProbeAnswer> {
  const url = new URL(repositoryUrl + ADVERTISEMENT);
  const options: RequestOptions & { ca?: string[] } = {
    agent: false,
    // Some hosts answer browsers with a page; version 2 keeps the list of all refs out of the answer.
    headers: { 'user-agent': 'git/2.39.0 (docking-station)', 'git-protocol': 'version=2', accept: '*/*' },
    auth: basic && `${basic.username}:${basic.password}`,
    lookup: (_host, { all }, callback) => {
      const [first] = addresses;
      if (all) callback(null, addresses);
      else callback(null, first?.address ?? '', first?.family);
    },
    signal,
  };
  try {
    return await new Promise<ProbeAnswer>((resolve, reject) => {
      const request =
        url.protocol === 'https:'
          ? requestHttps(url, { ...options, ca: certificateAuthorities() })
          : requestHttp(url, options);
      const giveUp = (ms: number) => () => request.destroy(new Error(`no answer within ${ms / 1000} s`));
      const connecting = setTimeout(giveUp(CONNECT_MS), CONNECT_MS);
      const answering = setTimeout(giveUp(ANSWER_MS), ANSWER_MS);
      request.once('socket', (socket) => socket.once('connect', () => clearTimeout(connecting)));
      request.once('response', ({ statusCode = 0, headers }) => {
        resolve({ status: statusCode, location: absolute(headers.location, url), contentType: typeOf(headers) });
        request.destroy();
      });
      request.on('error', reject);
      request.once('close', () => {
        clearTimeout(connecting);
        clearTimeout(answering);
        reject(new Error('it answers with another protocol')); // where there was neither an answer nor an error
      });
      request.end();
    });
  } catch (error) {
    signal.throwIfAborted();
    throw new Failure('GIT_UNREACHABLE', `${reasonOf(error)}: ${url.host}`, { cause: error });
  }
}

const absolute = (location: string | undefined, base: URL): string | undefined =>
  location !== undefined && URL.canParse(location, base.href) ? new URL(location, base).href : undefined;

const typeOf = ({ 'content-type': type = '' }: IncomingHttpHeaders): string => type.split(';', 1).join().trim();

/** Several addresses fail together, with an empty message of their own. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(reasonOf).join(', ');
  return error instanceof Error ? error.message : String(error);
}
