import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import type { LiveProcess } from '../process-tree.js';

export interface ListeningPort {
  port: number;
  /** Where it can be reached from this machine. */
  address: '127.0.0.1' | '::1';
}

const LISTEN = '0A';

/** The TCP ports that these processes themselves listen on, whatever they were told; a stranger's are none of theirs. */
export function listeningPorts(processes: LiveProcess[]): ListeningPort[] {
  const [first] = processes;
  if (!first) return [];
  const own = new Set(processes.flatMap(({ pid }) => socketInodes(pid)));
  const found = new Map<number, ListeningPort>();
  for (const table of ['tcp6', 'tcp'] as const) {
    for (const { address, port, inode } of listeners(`/proc/${first.pid}/net/${table}`)) {
      if (own.has(inode)) found.set(port, { port, address: reachableAt(table, address) });
    }
  }
  return [...found.values()].toSorted((a, b) => a.port - b.port);
}

/** `::` takes IPv4 too, unless told otherwise; only `::1` cannot be reached by it. */
function reachableAt(table: 'tcp' | 'tcp6', address: string): ListeningPort['address'] {
  return table === 'tcp6' && /^0{24}01000000$/.test(address) ? '::1' : '127.0.0.1';
}

function listeners(file: string): { address: string; port: number; inode: string }[] {
  return readLines(file)
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[3] === LISTEN)
    .map((fields) => {
      const [address = '', port = ''] = (fields[1] ?? '').split(':');
      return { address, port: Number.parseInt(port, 16), inode: fields[9] ?? '' };
    });
}

function socketInodes(pid: number): string[] {
  const folder = `/proc/${pid}/fd`;
  return entries(folder).flatMap((name) => {
    try {
      const match = /^socket:\[(\d+)\]$/.exec(readlinkSync(`${folder}/${name}`));
      return match?.[1] === undefined ? [] : [match[1]];
    } catch {
      return []; // closed meanwhile
    }
  });
}

function entries(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // ended meanwhile
  }
}

function readLines(file: string): string[] {
  try {
    return readFileSync(file, 'latin1').split('\n');
  } catch {
    return []; // no IPv6, or the process has ended
  }
}
