import { execa } from 'execa';

/**
 * Bytes that the folders take on disk, each hard link counted once and no symbolic link followed; those that do not exist
 * take none. `du` and not Node.js: it reaches what lies deeper than the longest path that the kernel takes.
 */
export async function diskBytes(folders: string[], signal?: AbortSignal): Promise<number> {
  return (await total(['-skc'], folders, signal)) * 1024;
}

/** Files, folders and links in the folders. */
export const countFiles = (folders: string[], signal?: AbortSignal): Promise<number> =>
  total(['-sc', '--inodes'], folders, signal);

async function total(options: string[], folders: string[], signal?: AbortSignal): Promise<number> {
  // It fails for what vanishes meanwhile, and counts the rest.
  const { stdout } = await execa('du', [...options, '--', ...folders], {
    reject: false,
    stderr: 'ignore',
    cancelSignal: signal,
  });
  signal?.throwIfAborted();
  return Number.parseInt(stdout.slice(stdout.lastIndexOf('\n') + 1), 10);
}
