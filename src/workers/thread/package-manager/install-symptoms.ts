import type { PackageManagerName } from '../../../contracts/shapes.js';

/** What a line of a package manager's output shows, as far as it decides what is done about it. */
export type Symptom =
  | 'outdated-lockfile'
  | 'registry-unreachable'
  | 'engine-mismatch'
  | 'unknown-protocol'
  | 'no-space'
  | 'no-compiler'
  | 'out-of-memory'
  | 'error';

const NETWORK =
  'ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|ERR_SOCKET_TIMEOUT|E50[234]|' +
  'SELF_SIGNED_CERT_IN_CHAIN|DEPTH_ZERO_SELF_SIGNED_CERT|UNABLE_TO_\\w+|CERT_HAS_EXPIRED';

/** Whoever says it: managers, compilers and scripts alike. */
const COMMON: [Symptom, RegExp][] = [
  // inotify too says ENOSPC when there are too many watches.
  ['no-space', /^(?!.*watch).*(?:\bENOSPC\b|\bEDQUOT\b|no space left on device|disk quota exceeded)/i],
  ['no-compiler', /not found: (?:make|cc|c\+\+|g\+\+|gcc)\b|(?:make|cc|c\+\+|g\+\+|gcc): (?:command )?not found/i],
  ['no-compiler', /Could not find any Python installation|Can't find Python executable/i],
  ['out-of-memory', /JavaScript heap out of memory/],
];

/** Anchored to the words that the manager puts in front: a script that cannot reach its own server is no registry trouble. */
const OF_MANAGER: Record<PackageManagerName, [Symptom, RegExp][]> = {
  npm: [
    ['outdated-lockfile', /^npm (?:error|ERR!) code EUSAGE/],
    ['registry-unreachable', new RegExp(`^npm (?:error|ERR!) code (?:${NETWORK})`)],
    ['engine-mismatch', /^npm (?:error|ERR!) code (?:EBADENGINE|EBADDEVENGINES)/],
    ['unknown-protocol', /^npm (?:error|ERR!) code EUNSUPPORTEDPROTOCOL/],
    ['error', /^npm (?:error|ERR!) (?!code |errno |syscall |path |command |A complete log)\S/],
  ],
  pnpm: [
    ['outdated-lockfile', /ERR_PNPM_\w*LOCKFILE|Cannot install with "frozen-lockfile"/],
    [
      'registry-unreachable',
      /ERR_PNPM_META_FETCH_FAIL|ERR_PNPM_FETCH_5|Failed to fetch metadata|error sending\s*(?:request|$)/,
    ],
    ['registry-unreachable', new RegExp(`(?:GET|WARN) .*https?://.*\\b(?:${NETWORK})`)],
    ['engine-mismatch', /ERR_PNPM_UNSUPPORTED_ENGINE/],
    ['error', /^\s*\[?(?:ERROR\b|ERR_PNPM_|ELIFECYCLE)|^\s*╰─▶/],
  ],
  yarn: [
    ['outdated-lockfile', /^error Your lockfile needs to be updated|YN0028: .*explicitly forbidden/],
    [
      'registry-unreachable',
      new RegExp(`^error .*\\b(?:${NETWORK})|YN0001: .*RequestError|YN00\\d\\d: .*\\b(?:${NETWORK})`),
    ],
    ['engine-mismatch', /^error .*The engine "node" is incompatible/],
    ['unknown-protocol', /^error Couldn't find any versions for .*(?:workspace|catalog|portal|patch):/],
    ['error', /^error |YN(?!000[0-8])\d{4}: .*(?:fail|couldn't|can't|error|invalid)/i],
  ],
  bun: [
    ['outdated-lockfile', /lockfile had changes, but lockfile is frozen/],
    [
      'registry-unreachable',
      /^error: (?:ConnectionRefused|ConnectionClosed|FailedToOpenSocket|DNS\w*|Timeout|\w*CERT\w*) (?:downloading|fetching)/i,
    ],
    ['error', /^error: /],
  ],
};

export const symptomsOf = (manager: PackageManagerName, line: string): Symptom[] =>
  [...COMMON, ...OF_MANAGER[manager]].flatMap(([symptom, pattern]) => (pattern.test(line) ? [symptom] : []));
