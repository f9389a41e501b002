import { constants, existsSync, lstatSync, openSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** What git stores, shared with the commands of a repository, which may read but not change it. */
const SHARED = ['info', 'logs', 'modules', 'objects', 'packed-refs', 'refs', 'reftable', 'shallow'];
/** What they get a copy of: tools that install hooks or write settings then work, and nothing of it is ever seen by git. */
const COPIED = ['HEAD', 'config', 'index'];
const SIZE_BYTES = 256 * 1024 * 1024;

/** Arguments of bwrap that name descriptors by number. */
export interface FileArguments {
  args: string[];
  /** Descriptors of the files that are copied, in the order of their numbers. To be closed when the command has started. */
  descriptors: number[];
}

/**
 * A throw-away `.git` for installs and apps: whatever they plant in it (hooks, filters, programs in its configuration) is
 * gone with them. `firstDescriptor` is the number that the first of the copied files gets.
 */
export function gitView(workspace: string, sourceOf: (path: string) => string, firstDescriptor: number): FileArguments {
  const folder = join(workspace, '.git');
  if (!lstatSync(folder, { throwIfNoEntry: false })?.isDirectory()) return { args: [], descriptors: [] };
  const args = ['--size', String(SIZE_BYTES), '--tmpfs', folder];
  const present = new Set(readdirSync(folder));
  for (const name of SHARED.filter((one) => present.has(one) && isPlain(join(folder, one)))) {
    args.push('--ro-bind', sourceOf(join(folder, name)), join(folder, name));
  }
  const descriptors: number[] = [];
  for (const name of COPIED.filter((one) => present.has(one) && isPlain(join(folder, one)))) {
    const descriptor = openSync(join(folder, name), constants.O_RDONLY | constants.O_NOFOLLOW);
    args.push('--file', String(firstDescriptor + descriptors.length), join(folder, name));
    descriptors.push(descriptor);
  }
  return { args, descriptors };
}

const isPlain = (path: string): boolean => existsSync(path) && !lstatSync(path).isSymbolicLink();
