import { closeSync, openSync, readdirSync, readlinkSync, readSync } from 'node:fs';
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

/** The tables take the kernel 7 ms each, however few sockets there are, and are not read at every look. */
const TABLES_MAX_AGE_MS = 2_000;
/** While nothing is awaited any more. */
const STEADY_MAX_AGE_MS = 10_000;

/** A program may open sockets by the hundred thousand: then the rest after a look is ten times what it has taken. */
const LONG_LOOK_MS = 20;
const REST = 10;

/** Looks again and again at what listens: as the kernel knows it, no guess from output, no attempt to connect. */
export class ListenerWatch {
  private inodes = '';
  private listening: Listening = { own: [], all: [] };
  private readAt = 0;
  private restUntil = 0;

  /**
   * In the network namespaces of these processes. At once when they have other sockets than at the last look; that one
   * of them, bound before, listens now is noticed within two seconds, or ten where it is not `awaited`.
   */
  look(pids: number[], awaited: boolean): Listening {
    const begun = Date.now();
    if (begun < this.restUntil) return this.listening;
    const inodes = pids.flatMap(socketsOf);
    const tookMs = Date.now() - begun;
    if (tookMs > LONG_LOOK_MS) this.restUntil = Date.now() + tookMs * REST;
    const maxAge = awaited ? TABLES_MAX_AGE_MS : STEADY_MAX_AGE_MS;
    const isFresh = Date.now() - this.readAt < maxAge && inodes.join() === this.inodes;
    if (isFresh) return this.listening;
    this.inodes = inodes.join();
    this.readAt = Date.now();
    this.listening = listeningIn(namespacesOf(pids), new Set(inodes));
    return this.listening;
  }
}

/** `pids` are one of each namespace, `inodes` the sockets to tell apart from those of strangers. */
function listeningIn(pids: number[], inodes: Set<string>): Listening {
  if (inodes.size === 0) return { own: [], all: [] };
  const all = pids.flatMap(listenersSeenBy);
  return { own: all.filter(({ inode }) => inodes.has(inode)), all };
}

/** One process of each network namespace that these are in. */
function namespacesOf(pids: number[]): number[] {
  const namespaces = new Map<string, number>();
  for (const pid of pids) {
    const name = readlink(`/proc/${pid}/ns/net`);
    if (name !== '' && !namespaces.has(name)) namespaces.set(name, pid);
  }
  return [...namespaces.values()];
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
/** A row of any other state: number, local and remote address, state. */
const CONNECTED = /^ *\d+: \S+ \S+ (?!0A)[0-9A-F]{2} /m;
const buffer = Buffer.alloc(16_384);

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

function readlink(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return ''; // closed or ended meanwhile
  }
}

/**
 * The kernel prints first all sockets that listen, then all that are connected, of which a busy machine has thousands:
 * read up to the first of these.
 */
function readTable(path: string): string {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(path, 'r');
    for (let text = ''; ;) {
      const bytes = readSync(descriptor, buffer);
      text += buffer.toString('latin1', 0, bytes);
      if (bytes === 0 || CONNECTED.test(text)) return text;
    }
  } catch {
    return ''; // the process has ended meanwhile, or the machine has no IPv6
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}
