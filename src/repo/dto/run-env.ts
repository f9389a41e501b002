import { describe } from '../../common/fields.js';
import { TREE_MARKER } from '../../contracts/process-tree.js';
import { Failure } from '../../contracts/failure.js';

/** Linux takes no longer `NAME=value` (MAX_ARG_STRLEN), its final NUL included. */
const MAX_ENTRY_BYTES = 131_072;
/** A sandbox takes a few thousand in all. */
const MAX_VARIABLES = 1_000;

/**
 * Names that would change what starts the app instead of the app: the dynamic loader, the shell, node, git, and the
 * package managers read their orders from these. Compared in upper case: npm takes its own in any.
 */
const DENIED = new Set([
  'PATH',
  'HOME',
  'SHELL',
  'PWD',
  'OLDPWD',
  'INIT_CWD',
  'TMPDIR',
  'ENV',
  'IFS',
  'PS4',
  'CDPATH',
  'ZDOTDIR',
  'SHELLOPTS',
  'BASHOPTS',
  'PROMPT_COMMAND',
  'NODE',
  'NODE_OPTIONS',
  'NODE_PATH',
  'NODE_CHANNEL_FD',
  'NODE_CHANNEL_SERIALIZATION_MODE',
  'NODE_UNIQUE_ID',
  'NODE_ICU_DATA',
  'NODE_REPL_EXTERNAL_MODULE',
  'SSH_ASKPASS',
  'GCONV_PATH',
  'GLIBC_TUNABLES',
  TREE_MARKER,
]);
const DENIED_PREFIXES = [
  'LD_',
  'DYLD_',
  'OPENSSL_',
  'BASH_',
  'XDG_',
  'GIT_',
  'NPM_',
  'PNPM_',
  'YARN_',
  'BUN_',
  'COREPACK_',
];
/** A secret that apps are commonly given; npm itself does not read it. */
const ALLOWED = new Set(['NPM_TOKEN']);

/** Fails where `env` holds what an app must not be given; a message names the variable and never its value. */
export function checkRunEnv(env: Readonly<Record<string, unknown>>, port?: number): void {
  const entries = Object.entries(env);
  if (entries.length > MAX_VARIABLES) {
    throw new Failure('BAD_REQUEST', `env: expected at most ${MAX_VARIABLES} variables, got ${entries.length}`);
  }
  for (const [name, value] of entries) {
    checkName(name);
    checkValue(name, value);
    if (name.toUpperCase() === 'PORT' && value !== String(port)) {
      throw notAllowed(name, 'the station sets it', 'Pass the number as port, and leave PORT out of env.');
    }
  }
}

function checkName(name: string): void {
  const upper = name.toUpperCase();
  if (name === '' || name.length > 256 || /[=\0]/.test(name)) {
    throw notAllowed(name, 'a name is 1 to 256 characters, none of them "=" or NUL');
  }
  if (name in Object.prototype || name === 'prototype') throw notAllowed(name, 'it is no name for a variable');
  if (ALLOWED.has(upper)) return;
  if (DENIED.has(upper) || DENIED_PREFIXES.some((prefix) => upper.startsWith(prefix))) {
    throw notAllowed(name, 'it would change how the app is started');
  }
}

function checkValue(name: string, value: unknown): void {
  const shown = `env.${printable(name)}`;
  if (typeof value !== 'string') {
    throw new Failure('BAD_REQUEST', `${shown}: expected text, got ${describe(value, true)}`, {
      suggestion: 'Put the value in quotes.',
    });
  }
  if (value.includes('\0')) throw new Failure('BAD_REQUEST', `${shown}: expected text without NUL characters`);
  const bytes = Buffer.byteLength(name) + Buffer.byteLength(value) + 2;
  if (bytes > MAX_ENTRY_BYTES) {
    throw new Failure('BAD_REQUEST', `${shown}: expected at most ${MAX_ENTRY_BYTES} bytes with its name, got ${bytes}`);
  }
}

function notAllowed(name: string, reason: string, suggestion?: string): Failure {
  const shown = printable(name);
  return new Failure('ENV_NOT_ALLOWED', `env: "${shown}" is not allowed: ${reason}.`, {
    suggestion,
    context: { name: shown },
  });
}

const printable = (name: string): string => JSON.stringify(name.slice(0, 100)).slice(1, -1);
