import { Failure } from '../../../contracts/failure.js';
import type { FailureCode } from '../../../contracts/failure-codes.js';
import { shortened } from '../../../machine/bounded.js';

/** What git, curl and ssh say (in English: LC_ALL=C), the most telling first. */
const SYMPTOMS: [symptom: RegExp, code: FailureCode, reason: string][] = [
  [/^(?!remote:).*(no space left on device|disk quota exceeded)/im, 'NO_SPACE', 'The disk is full'],
  [/remote branch .* not found|couldn't find remote ref/i, 'GIT_BRANCH_NOT_FOUND', 'The branch or tag does not exist'],
  [/host key verification failed|host key is known/i, 'GIT_HOST_KEY_UNKNOWN', 'The SSH host key is not known'],
  [
    /authentication failed|could not read (username|password)|terminal prompts disabled|permission denied \(|returned error: 40[13]|too many authentication failures|access denied/i,
    'GIT_AUTH_REQUIRED',
    'The Git host does not let the repository be read without other credentials',
  ],
  [
    /repository .*not found|returned error: 404|does not appear to be a git repository|is this a git repository|project you were looking for could not be found/i,
    'GIT_REPOSITORY_NOT_FOUND',
    'The Git host has no such repository, or none that these credentials may read',
  ],
  [
    /could not resolve host|failed to connect|couldn't connect|connection (refused|reset|closed|timed out)|operation timed out|network is unreachable|no route to host|early eof|hung up unexpectedly|unexpected disconnect|ssl certificate problem|certificate verification failed|ssl_connect|returned error: (5\d\d|429)|transfer closed/i,
    'GIT_UNREACHABLE',
    'The Git host cannot be reached, or the connection broke',
  ],
];

/** A file or folder of the working tree, which it names; what comes after says no more than that something has failed. */
const DENIED = /^error: .*: Permission denied$/;
const PERMIT =
  'Have a script of the repository give its files their permissions back, or unload it and clone it again.';

const CONTEXT_LINES = 20;

/** The one translation of git's output into a failure. `output` must hold no secret any more. */
export function gitFailure(output: string, command: string): Failure {
  const lines = output
    .split(/[\r\n]+/)
    .map((line) => shortened(line.trim()))
    .filter((line) => line !== '' && !/\d+% \(\d+\/\d+\)|^Cloning into /.test(line));
  const [, code, reason] = SYMPTOMS.find(([symptom]) => symptom.test(lines.join('\n'))) ?? [];
  const context = { lines: lines.slice(-CONTEXT_LINES) };
  if (code && reason) return new Failure(code, `${reason}: git ${command}`, { context });
  const denied = lines.find((line) => DENIED.test(line));
  const fatal = denied ?? lines.findLast((line) => /^(fatal|error):/.test(line)) ?? lines.at(-1) ?? 'it said nothing';
  const message = `${fatal.replace(/^(fatal|error):\s*/, '')}: git ${command}`;
  return new Failure('GIT_FAILED', message, { context, ...(denied !== undefined && { suggestion: PERMIT }) });
}
