import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { GitCredentials } from '../../../contracts/operations.js';
import { shellQuoted } from '../shell-quoted.js';
import { basicOf, type RepositoryPlace } from './locate-repository.js';

/**
 * git and ssh ask this program for what they need. It answers for the one host only: the configuration in the repository
 * may send git elsewhere.
 */
const ASKPASS = `#!/bin/sh
case "$1" in
  "Enter passphrase"*) printf '%s\\n' "$DOCKING_STATION_GIT_PASSWORD" ;;
  "Username for "*"//$DOCKING_STATION_GIT_HOST': ") printf '%s\\n' "$DOCKING_STATION_GIT_USERNAME" ;;
  "Password for "*[@/]"$DOCKING_STATION_GIT_HOST': ") printf '%s\\n' "$DOCKING_STATION_GIT_PASSWORD" ;;
  *) exit 1 ;;
esac
`;

/**
 * The environment that lets git reach the place: credentials go into it and into `folder`, which only the server may
 * read, and nowhere else.
 */
export function accessEnvironment(
  place: RepositoryPlace,
  folder: string,
  knownHosts: string | undefined,
): Record<string, string> {
  const { protocol } = place.url;
  return {
    GIT_ALLOW_PROTOCOL: protocol,
    ...(protocol === 'ssh' ? sshEnvironment(place, folder, knownHosts) : httpEnvironment(place, folder)),
  };
}

/** What must not be repeated, also not in the form that a URL gives it. */
export function secretsOf(credentials: GitCredentials | undefined): string[] {
  if (!credentials) return [];
  const secret = 'token' in credentials ? credentials.token : credentials.passphrase;
  return secret ? [secret, encodeURIComponent(secret)] : [];
}

function httpEnvironment({ credentials, fetchUrl }: RepositoryPlace, folder: string): Record<string, string> {
  if (!credentials || !('token' in credentials)) return {};
  const { username, password } = basicOf(credentials);
  return {
    GIT_ASKPASS: write(folder, 'askpass', ASKPASS, 0o700),
    DOCKING_STATION_GIT_HOST: new URL(fetchUrl).host,
    DOCKING_STATION_GIT_USERNAME: username,
    DOCKING_STATION_GIT_PASSWORD: password,
  };
}

function sshEnvironment(
  { url, addresses, credentials }: RepositoryPlace,
  folder: string,
  knownHosts: string | undefined,
): Record<string, string> {
  const key = credentials && 'privateKey' in credentials ? credentials : undefined;
  const name = url.host.replace(/^\[|\]$/g, '');
  const options = [
    // ssh asks for a passphrase in no other way than this; it asks for nothing else either way.
    `BatchMode=${key?.passphrase ? 'no' : 'yes'}`,
    'PreferredAuthentications=publickey',
    'NumberOfPasswordPrompts=1',
    'StrictHostKeyChecking=yes',
    `UserKnownHostsFile=${knownHosts ? sshPath(write(folder, 'known_hosts', readFileSync(knownHosts, 'utf8'), 0o600)) : '/dev/null'}`,
    'GlobalKnownHostsFile=/dev/null',
    'UpdateHostKeys=no',
    `HostName=${addresses[0]?.address ?? name}`,
    // As known_hosts files name it, other ports included.
    `HostKeyAlias=${url.port === 22 ? name : `[${name}]:${url.port}`}`,
    'CheckHostIP=no',
    'IdentityAgent=none',
    'IdentitiesOnly=yes',
    `IdentityFile=${key ? sshPath(write(folder, 'key', keyText(key.privateKey), 0o600)) : 'none'}`,
    'ConnectTimeout=10',
    'ServerAliveInterval=15',
    'ControlPath=none',
    'ForwardAgent=no',
    'ClearAllForwardings=yes',
  ];
  return {
    GIT_SSH_COMMAND: ['ssh -F none', ...options.map((option) => `-o ${shellQuoted(option)}`)].join(' '),
    GIT_SSH_VARIANT: 'ssh',
    ...(key?.passphrase && {
      SSH_ASKPASS: write(folder, 'askpass', ASKPASS, 0o700),
      SSH_ASKPASS_REQUIRE: 'force',
      DOCKING_STATION_GIT_PASSWORD: key.passphrase,
    }),
  };
}

function write(folder: string, name: string, content: string, mode: number): string {
  const path = join(folder, name);
  writeFileSync(path, content, { mode });
  return path;
}

/** ssh refuses a key whose last line does not end, or whose lines end as on Windows: what a form or JSON makes of it. */
const keyText = (key: string): string => `${key.replaceAll('\r\n', '\n').trim()}\n`;

const sshPath = (path: string): string => `"${path.replaceAll('%', '%%')}"`;
