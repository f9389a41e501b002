import { openSync, readdirSync, readFileSync } from 'node:fs';

type Stdio = ('pipe' | 'ignore' | number)[];

const CLOSED_ON_EXEC = 0o2000000;

/**
 * What the server was given by whoever started it, a shell or a service manager. Node.js hands it on to every child, and a
 * folder among it would lead out of a sandbox.
 */
let inherited: number[] | undefined;
const findInherited = (): number[] =>
  readdirSync('/proc/self/fd')
    .map(Number)
    .filter((descriptor) => descriptor > 2 && isHandedOn(descriptor));

/** Puts nothing into the place of what the server has inherited. */
export function withoutInherited(stdio: Stdio): Stdio {
  const handedOn = (inherited ??= findInherited());
  const last = Math.max(stdio.length - 1, ...handedOn);
  return Array.from({ length: last + 1 }, (_, descriptor) => {
    return stdio[descriptor] ?? (handedOn.includes(descriptor) ? nothing() : 'ignore');
  });
}

function isHandedOn(descriptor: number): boolean {
  try {
    const [, flags = ''] = /^flags:\s*(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, 'latin1')) ?? [];
    return (Number.parseInt(flags, 8) & CLOSED_ON_EXEC) === 0;
  } catch {
    return false; // it was that of the listing itself
  }
}

let opened: number | undefined;
/** For descriptors beyond the third, `ignore` means to leave them as they are. */
const nothing = (): number => (opened ??= openSync('/dev/null', 'r'));
