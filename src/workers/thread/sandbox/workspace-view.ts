import { closeSync, constants, existsSync, fstatSync, lstatSync, openSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { READABLE_MANIFEST } from '../../../contracts/readable-manifest.js';

/** What git stores, shared with the commands of a repository, which may read but not change it. */
const SHARED = ['info', 'logs', 'modules', 'objects', 'packed-refs', 'refs', 'reftable', 'shallow'];
/** What they get a copy of: tools that install hooks or write settings then work, and nothing of it is ever seen by git. */
const COPIED = ['HEAD', 'config', 'index'];
const SIZE_BYTES = 256 * 1024 * 1024;
const MAX_MANIFEST_BYTES = 65_536;

/** What a command sees of the workspace in place of what is there. */
export interface WorkspaceView {
  args: string[];
  /** Descriptors of the files that are copied, in the order of their numbers. To be closed when the command has started. */
  descriptors: number[];
}

/**
 * A throw-away `.git` for installs and apps: whatever they plant in it (hooks, filters, programs in its configuration) is
 * gone with them. `firstDescriptor` is the number that the first of the copied files gets.
 */
export function gitView(workspace: string, sourceOf: (path: string) => string, firstDescriptor: number): WorkspaceView {
  const folder = join(workspace, '.git');
  if (!lstatSync(folder, { throwIfNoEntry: false })?.isDirectory()) return { args: [], descriptors: [] };
  const args = ['--size', String(SIZE_BYTES), '--tmpfs', folder];
  const present = new Set(readdirSync(folder));
  for (const name of SHARED.filter((one) => present.has(one) && isPlain(join(folder, one)))) {
    args.push('--ro-bind', sourceOf(join(folder, name)), join(folder, name));
  }
  const descriptors: number[] = [];
  for (const name of COPIED.filter((one) => present.has(one))) {
    const descriptor = openPlain(join(folder, name));
    if (descriptor === undefined) continue;
    args.push('--file', String(firstDescriptor + descriptors.length), join(folder, name));
    descriptors.push(descriptor);
  }
  return { args, descriptors };
}

/**
 * The station's own file in the workspace may be read only. By its descriptor: an app that runs could have put a link in
 * its place when it is mounted.
 */
export function manifestView(workspace: string, firstDescriptor: number): WorkspaceView {
  const path = join(workspace, READABLE_MANIFEST);
  const descriptor = openPlain(path);
  if (descriptor === undefined) return { args: [], descriptors: [] };
  const stats = fstatSync(descriptor);
  // The station writes it so, git never does.
  if (stats.isFile() && (stats.mode & 0o222) === 0 && stats.size <= MAX_MANIFEST_BYTES) {
    return { args: ['--perms', '0444', '--ro-bind-data', String(firstDescriptor), path], descriptors: [descriptor] };
  }
  closeSync(descriptor);
  return { args: [], descriptors: [] };
}

/** Undefined where there is no regular file. Neither follows a link nor waits for the other end of a pipe. */
function openPlain(path: string): number | undefined {
  if (!lstatSync(path, { throwIfNoEntry: false })?.isFile()) return undefined;
  try {
    return openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch {
    return undefined; // an app has exchanged it meanwhile
  }
}

const isPlain = (path: string): boolean => existsSync(path) && !lstatSync(path).isSymbolicLink();
