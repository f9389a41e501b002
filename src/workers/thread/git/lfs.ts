import { readInside, UnreadableFile } from '../../../machine/read-inside.js';
import type { Git } from './git.js';

const POINTER = /^version https:\/\/git-lfs\.github\.com\/spec\//;
const MAX_POINTER_BYTES = 1024;

/** A warning where files stand for others in a Large File Storage, which are not fetched. */
export async function lfsWarnings(folder: string, git: Git): Promise<string[]> {
  const output = await git.run(folder, ['ls-files', '-z', '--', ':(attr:filter=lfs)']);
  const pointers = output.split('\0').filter((path) => path !== '' && isPointer(folder, path));
  if (pointers.length === 0) return [];
  const count = pointers.length === 1 ? '1 file is a pointer' : `${pointers.length} files are pointers`;
  return [`lfs: ${count} to content that was not fetched, such as ${pointers[0]}`];
}

function isPointer(folder: string, path: string): boolean {
  try {
    return POINTER.test(readInside(folder, path, MAX_POINTER_BYTES)?.toString('latin1') ?? '');
  } catch (error) {
    if (error instanceof UnreadableFile) return false; // too large for one
    throw error;
  }
}
