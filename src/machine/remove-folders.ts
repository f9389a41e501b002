import { basename } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { execa } from 'execa';
import { Failure } from '../contracts/failure.js';
import { shortened } from './bounded.js';
import { exists } from './exists.js';
import { openUp } from './open-up.js';

const RETRY_MS = 50;
const PATIENCE_MS = 10_000;

/**
 * Removes folders or files with all that is in them; links are removed, not followed. Again while something still writes
 * into them. INTERNAL_ERROR with what could not be removed. `rm` and not Node.js: that goes by paths, and so through a link
 * that somebody puts into the place of a folder meanwhile, and reaches nothing that lies deeper than the longest path that
 * the kernel takes. Whoever may write above the last name of these paths must be nobody else: see `removeInside`.
 */
export async function removeFolders(folders: string[], signal?: AbortSignal, patienceMs = PATIENCE_MS): Promise<void> {
  let deadline: number | undefined;
  for (let left = folders.filter(exists); left.length > 0;) {
    signal?.throwIfAborted();
    const { stderr } = await execa('rm', ['-rf', '--', ...left], { reject: false, cancelSignal: signal });
    left = left.filter(exists);
    if (left.length === 0) return;
    if (deadline !== undefined && Date.now() > deadline) {
      const lines = stderr
        .split('\n')
        .slice(-20)
        .map((line) => withoutFolders(line, folders));
      throw new Failure('INTERNAL_ERROR', 'Not everything could be removed', { context: { lines } });
    }
    // What is in a folder without write permission cannot be removed, not by its owner either.
    for (const folder of left) await openUp(folder);
    // From here on: the first attempt at a large folder may have taken longer than that.
    deadline ??= Date.now() + patienceMs;
    await delay(RETRY_MS);
  }
}

const withoutFolders = (line: string, folders: string[]): string =>
  shortened(folders.reduce((rest, folder) => rest.replaceAll(folder, basename(folder)), line));
