import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { join } from 'node:path';
import type { FileArguments } from './git-view.js';

/**
 * What of the workspace is the station's, and may be read only: a copy, as a running app may put a link into its place at
 * any moment.
 */
export function ownFiles(workspace: string, descriptor: number): FileArguments {
  const manifest = join(workspace, '.mcp-isolation.json');
  const opened = openOwn(manifest);
  if (opened === undefined) return { args: [], descriptors: [] };
  return { args: ['--perms', '0444', '--ro-bind-data', String(descriptor), manifest], descriptors: [opened] };
}

/** The station writes it without write permission, git never does. */
function openOwn(path: string): number | undefined {
  let descriptor: number;
  try {
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch {
    return undefined; // there is none, or a link
  }
  const stats = fstatSync(descriptor);
  if (stats.isFile() && (stats.mode & 0o222) === 0) return descriptor;
  closeSync(descriptor);
  return undefined;
}
