import { closeSync, constants, fstatSync, lstatSync, openSync, readlinkSync, readSync, realpathSync } from 'node:fs';
import { join, sep } from 'node:path';
import { shortened } from './bounded.js';
import { O_PATH } from './o-path.js';

/** Why a file that is there was not read. */
export class UnreadableFile extends Error {}

/**
 * The content of a regular file of the workspace, or undefined when there is none of that name. Throws UnreadableFile for
 * one that lies outside, where a link leads to, for one larger than `maxBytes`, for what is no file, and for whatever else
 * keeps it from being read.
 */
export function readInside(workspace: string, name: string, maxBytes: number): Buffer | undefined {
  try {
    return read(workspace, name, maxBytes);
  } catch (error) {
    if (error instanceof UnreadableFile) throw error;
    throw new UnreadableFile(`${shortened(name)} cannot be read (${(error as NodeJS.ErrnoException).code})`, {
      cause: error,
    });
  }
}

function read(workspace: string, name: string, maxBytes: number): Buffer | undefined {
  const path = join(workspace, name);
  if (!lstatSync(path, { throwIfNoEntry: false })) return undefined;
  // Opened to be read only once it is known what it is: a named pipe would hold the thread for ever, a device do something.
  const descriptor = openSync(path, O_PATH);
  try {
    const found = `/proc/self/fd/${descriptor}`;
    // Where the descriptor leads, not where the name did: a running app may exchange files meanwhile.
    if (!readlinkSync(found).startsWith(realpathSync(workspace) + sep)) {
      throw new UnreadableFile(`${shortened(name)} is a link that leads out of the repository`);
    }
    const stats = fstatSync(descriptor);
    if (!stats.isFile()) throw new UnreadableFile(`${shortened(name)} is not a file`);
    if (stats.size > maxBytes) throw new UnreadableFile(`${shortened(name)} is larger than ${maxBytes} bytes`);
    return contentOf(found, stats.size);
  } finally {
    closeSync(descriptor);
  }
}

function contentOf(file: string, bytes: number): Buffer {
  const descriptor = openSync(file, constants.O_RDONLY);
  try {
    const buffer = Buffer.alloc(bytes);
    return buffer.subarray(0, readSync(descriptor, buffer));
  } finally {
    closeSync(descriptor);
  }
}
