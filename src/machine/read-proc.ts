import { closeSync, openSync, readSync } from 'node:fs';

/** One for all reads of this thread: they are synchronous. */
const buffer = Buffer.alloc(65_536);

/**
 * What /proc says of one process (`stat`, `status`, `cmdline`, `environ` and the like) as one byte per character, or
 * undefined when it cannot be read: the process has ended meanwhile or is another user's. Looks at all processes go through
 * here many times a second: half the system calls of readFileSync. Not for lists and tables (`children`, `maps`,
 * `net/tcp`): of these the kernel hands out less than there is in one read.
 */
export function readProc(path: string): string | undefined {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(path, 'r');
    for (let text = ''; ;) {
      const bytes = readSync(descriptor, buffer);
      text += buffer.toString('latin1', 0, bytes);
      if (bytes < buffer.length) return text;
    }
  } catch {
    return undefined;
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}
