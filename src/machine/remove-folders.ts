import { lstatSync } from 'node:fs';
import { basename } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { execa } from 'execa';
import { Failure } from '../contracts/failure.js';
import { shortened } from './bounded.js';

const RETRY_MS = 50;
const PATIENCE_MS = 10_000;

/**
 * Removes folders with all that is in them; links are removed, not followed. Again while something still writes into
 * them. INTERNAL_ERROR with what could not be removed. `rm` and not Node.js: it reaches what lies deeper than the longest
 * path that the kernel takes.
 */
export async function removeFolders(folders: string[], signal?: AbortSignal): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    signal?.throwIfAborted();
    const { stderr } = await execa('rm', ['-rf', '--', ...folders], { reject: false, cancelSignal: signal });
    const left = folders.filter(exists);
    if (left.length === 0) return;
    if (Date.now() > deadline) {
      const lines = stderr
        .split('\n')
        .slice(-20)
        .map((line) => withoutFolders(line, folders));
      throw new Failure('INTERNAL_ERROR', 'Not everything could be removed', { context: { lines } });
    }
    // What is in a folder without write permission cannot be removed, not by its owner either.
    await execa('chmod', ['-R', 'u+rwx', '--', ...left], { reject: false, stderr: 'ignore', cancelSignal: signal });
    await delay(RETRY_MS);
  }
}

const withoutFolders = (line: string, folders: string[]): string =>
  shortened(folders.reduce((rest, folder) => rest.replaceAll(folder, basename(folder)), line));

const exists = (path: string): boolean => lstatSync(path, { throwIfNoEntry: false }) !== undefined;
