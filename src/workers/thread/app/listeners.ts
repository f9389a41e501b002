import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { isIPv6, SocketAddress } from 'node:net';
import { endianness } from 'node:os';

/** A TCP socket that listens. */
export interface Listener {
  /** `0.0.0.0` and `::` are any address; an IPv4 address mapped into IPv6 is shown as what it is. */
  address: string;
  port: number;
}

interface ListeningSocket extends Listener {
  inode: string;
}

/** What listens where some processes live, and which of it is theirs. */
export interface Listening {
  own: Listener[];
  all: Listener[];
}

/** In the network namespaces of these processes, as the kernel knows it: no guess from output, no attempt to connect. */
export function listeningOf(pids: number[]): Listening {
  const namespaces = new Map<string, number>();
  for (const pid of pids) {
    const name = namespaceOf(pid);
    if (name !== undefined && !namespaces.has(name)) namespaces.set(name, pid);
  }
  const all = [...namespaces.values()].flatMap(listenersSeenBy);
  const inodes = all.length > 0 ? new Set(pids.flatMap(socketsOf)) : new Set<string>();
  return { own: all.filter(({ inode }) => inodes.has(inode)), all };
}

/** What listens in the network namespace of a process. */
export function listenersSeenBy(pid: number | 'self'): ListeningSocket[] {
  return ['tcp', 'tcp6'].flatMap((table) => parseTable(readTable(`/proc/${pid}/net/${table}`)));
}

/** The listener that a connection to `host` reaches: of several the kernel takes the most exact. */
export function reached<T extends Listener>(listeners: T[], host: string, port: number): T | undefined {
  const addresses = isIPv6(host) ? [host, '::'] : [host, '0.0.0.0', '::'];
  for (const address of addresses) {
    const found = listeners.find((one) => one.port === port && one.address === address);
    if (found) return found;
  }
  return undefined;
}

const LISTEN = '0A';

function parseTable(text: string): ListeningSocket[] {
  return text.split('\n').flatMap((line) => {
    const [, local = '', , state, , , , , , inode = ''] = line.trim().split(/\s+/);
    if (state !== LISTEN) return [];
    const [address = '', port = ''] = local.split(':');
    return [{ address: decodeAddress(address), port: Number.parseInt(port, 16), inode }];
  });
}

/** The kernel prints addresses as 32-bit numbers in the byte order of the machine. */
function decodeAddress(hex: string): string {
  const bytes = Buffer.from(hex, 'hex');
  if (endianness() === 'LE') bytes.swap32();
  if (bytes.length === 4) return bytes.join('.');
  const groups = bytes.toString('hex').match(/.{4}/g) ?? [];
  const { address } = new SocketAddress({ address: groups.join(':'), family: 'ipv6' });
  return address.replace(/^::ffff:(?=\d+\.)/, '');
}

function socketsOf(pid: number): string[] {
  const folder = `/proc/${pid}/fd`;
  try {
    return readdirSync(folder).flatMap((name) => /^socket:\[(\d+)\]$/.exec(readlink(`${folder}/${name}`))?.[1] ?? []);
  } catch {
    return []; // ended meanwhile, or another user's
  }
}

const namespaceOf = (pid: number): string | undefined => readlink(`/proc/${pid}/ns/net`) || undefined;

function readlink(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return ''; // closed or ended meanwhile
  }
}

function readTable(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return ''; // the process has ended meanwhile, or the machine has no IPv6
  }
}
