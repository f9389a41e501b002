import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { GitCredentials } from '../../../contracts/operations.js';
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

/** How credentials reach git for one operation: by its environment and a folder that only the server may read. */
export class AccessFiles {
  readonly folder: string;
  readonly environment: Record<string, string>;
  readonly secrets: string[];

  /** The folder is made beside `staging`, which a server that was killed clears at its next start. */
  constructor(
    private readonly place: RepositoryPlace,
    private readonly knownHosts: string | undefined,
    staging: string,
  ) {
    mkdirSync(dirname(staging), { recursive: true });
    this.folder = mkdtempSync(`${staging}.access-`);
    const { protocol } = place.url;
    const { credentials } = place;
    this.secrets = secretsOf(credentials);
    this.environment = {
      GIT_ALLOW_PROTOCOL: protocol,
      ...(protocol === 'ssh' ? this.forSsh(credentials) : this.forHttp(credentials)),
    };
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  private forHttp(credentials: GitCredentials | undefined): Record<string, string> {
    if (!credentials || !('token' in credentials)) return {};
    const { username, password } = basicOf(credentials);
    return {
      GIT_ASKPASS: this.write('askpass', ASKPASS, 0o700),
      DOCKING_STATION_GIT_HOST: new URL(this.place.fetchUrl).host,
      DOCKING_STATION_GIT_USERNAME: username,
      DOCKING_STATION_GIT_PASSWORD: password,
    };
  }

  private forSsh(credentials: GitCredentials | undefined): Record<string, string> {
    const key = credentials && 'privateKey' in credentials ? credentials : undefined;
    const { host, port } = this.place.url;
    const name = host.replace(/^\[|\]$/g, '');
    const options = [
      // ssh asks for a passphrase in no other way than this; it asks for nothing else either way.
      `BatchMode=${key?.passphrase ? 'no' : 'yes'}`,
      'PreferredAuthentications=publickey',
      'NumberOfPasswordPrompts=1',
      'StrictHostKeyChecking=yes',
      `UserKnownHostsFile=${this.knownHosts ? `"${this.knownHosts}"` : '/dev/null'}`,
      'GlobalKnownHostsFile=/dev/null',
      'UpdateHostKeys=no',
      `HostName=${this.place.addresses[0]?.address ?? name}`,
      // As known_hosts files name it, other ports included.
      `HostKeyAlias=${port === 22 ? name : `[${name}]:${port}`}`,
      'CheckHostIP=no',
      'IdentityAgent=none',
      'IdentitiesOnly=yes',
      `IdentityFile=${key ? `"${this.write('key', keyText(key.privateKey), 0o600)}"` : 'none'}`,
      'ConnectTimeout=10',
      'ServerAliveInterval=15',
      'ControlPath=none',
      'ForwardAgent=no',
      'ClearAllForwardings=yes',
    ];
    return {
      GIT_SSH_COMMAND: ['ssh -F none', ...options.map((option) => `-o ${quoted(option)}`)].join(' '),
      GIT_SSH_VARIANT: 'ssh',
      ...(key?.passphrase && {
        SSH_ASKPASS: this.write('askpass', ASKPASS, 0o700),
        SSH_ASKPASS_REQUIRE: 'force',
        DOCKING_STATION_GIT_PASSWORD: key.passphrase,
      }),
    };
  }

  private write(name: string, content: string, mode: number): string {
    const path = join(this.folder, name);
    writeFileSync(path, content, { mode });
    return path;
  }
}

/** ssh refuses a key whose last line does not end, or whose lines end as on Windows: what a form or JSON makes of it. */
const keyText = (key: string): string => `${key.replaceAll('\r\n', '\n').trim()}\n`;

/** For the shell, by which git starts ssh. */
const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

function secretsOf(credentials: GitCredentials | undefined): string[] {
  if (!credentials) return [];
  const secrets = 'token' in credentials ? [credentials.token] : [credentials.passphrase];
  return secrets.flatMap((secret) => (secret ? [secret, encodeURIComponent(secret)] : []));
}
