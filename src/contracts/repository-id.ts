import { createHash } from 'node:crypto';
import { Failure } from './failure.js';

/** `/repo/list` and `/repo/clone` would hide repositories of these names. */
const RESERVED_IDS = new Set(['list', 'clone']);
const MAX_ID_CHARS = 100;

/** `owner-repo`: the last two path segments, lower-cased, any other character a hyphen. Not yet unique. */
export function baseRepoId(canonicalUrl: string): string {
  const path = canonicalUrl.replace(/^\w+:\/\/[^/]*|^[^/:]*@(\[[^\]]*\]|[^:/]*):/, '');
  const name = path.split('/').filter(Boolean).slice(-2).map(decoded).join('-');
  const id = name
    .toLowerCase()
    .replace(/[^a-z0-9._-]/gu, '-')
    .replace(/^[^a-z0-9]+/, '')
    .replace(/^r_/, 'r-');
  if (id === '') return `repo-${urlHash(canonicalUrl)}`;
  if (RESERVED_IDS.has(id)) return `${id}-${urlHash(canonicalUrl)}`;
  return id.length > MAX_ID_CHARS ? `${id.slice(0, MAX_ID_CHARS - 9)}-${urlHash(canonicalUrl)}` : id;
}

/** Eight hexadecimal digits that tell apart the URLs whose base ids are the same. */
export function urlHash(canonicalUrl: string): string {
  return createHash('sha256').update(canonicalUrl).digest('hex').slice(0, 8);
}

/** The id that a caller has chosen, in lower case. BAD_REQUEST where it cannot be one. */
export function validateRepoId(wanted: string): string {
  const id = wanted.toLowerCase();
  if (id.length > MAX_ID_CHARS) throw refused(`longer than ${MAX_ID_CHARS} characters`);
  if (!/^[a-z0-9][a-z0-9._-]*$/.test(id)) throw refused('not made of letters, digits, ".", "_" and "-" only');
  if (RESERVED_IDS.has(id)) throw refused(`reserved: ${id}`);
  if (id.startsWith('r_')) throw refused('like a uid, which begins with r_');
  return id;
}

function refused(reason: string): Failure {
  return new Failure('BAD_REQUEST', `repoId is ${reason}`, {
    suggestion: 'Choose a repoId such as owner-repo, or leave it out to have one made.',
  });
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment; // a lone percent sign
  }
}
