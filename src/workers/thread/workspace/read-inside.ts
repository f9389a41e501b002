import { closeSync, constants, fstatSync, lstatSync, openSync, readlinkSync, readSync, realpathSync } from 'node:fs';
import { join, sep } from 'node:path';

/** Why a file that is there was not read. */
export class UnreadableFile extends Error {}

/**
 * The content of a regular file of the workspace, or undefined when there is none of that name. Throws UnreadableFile for
 * one that lies outside, where a link leads to, for one larger than `maxBytes`, and for what is no file.
 */
export function readInside(workspace: string, name: string, maxBytes: number): Buffer | undefined {
  const path = join(workspace, name);
  if (!lstatSync(path, { throwIfNoEntry: false })) return undefined;
  // Not blocking: a named pipe would hold the thread for ever.
  const descriptor = open(path, constants.O_RDONLY | constants.O_NONBLOCK, name);
  try {
    // Where the descriptor leads, not where the name did: a running app may exchange files meanwhile.
    if (!readlinkSync(`/proc/self/fd/${descriptor}`).startsWith(realpathSync(workspace) + sep)) {
      throw new UnreadableFile(`${name} is a link that leads out of the repository`);
    }
    const stats = fstatSync(descriptor);
    if (!stats.isFile()) throw new UnreadableFile(`${name} is not a file`);
    if (stats.size > maxBytes) throw new UnreadableFile(`${name} is larger than ${maxBytes} bytes`);
    const buffer = Buffer.alloc(stats.size);
    return buffer.subarray(0, readSync(descriptor, buffer));
  } finally {
    closeSync(descriptor);
  }
}

function open(path: string, flags: number, name: string): number {
  try {
    return openSync(path, flags);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new UnreadableFile(`${name} cannot be opened (${code})`, { cause: error });
  }
}
