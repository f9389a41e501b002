import { Failure } from '../contracts/failure.js';

/** `Bearer` in any letter case, as RFC 9110 has schemes; what follows is the key. */
const BEARER = /^bearer +(\S+) *$/i;

/**
 * The key in the Authorization header, or undefined when there is no such header. Read from the raw headers: of two
 * Authorization headers Node keeps the first and a proxy may go by the second, so two are nobody's.
 */
export function bearerOf(rawHeaders: readonly string[]): string | undefined {
  const values = rawHeaders.filter((_, index) => index % 2 === 1 && isAuthorization(rawHeaders[index - 1]));
  if (values.length === 0) return undefined;
  const key = values.length === 1 ? BEARER.exec(values[0] ?? '')?.[1] : undefined;
  if (key === undefined) {
    throw new Failure('UNAUTHORIZED', 'The Authorization header is not a single "Bearer <api_key>".');
  }
  return key;
}

const isAuthorization = (name: string | undefined): boolean => name?.toLowerCase() === 'authorization';
