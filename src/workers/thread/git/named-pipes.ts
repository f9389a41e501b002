import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { execa } from 'execa';
import { Failure } from '../../../contracts/failure.js';
import { shortened } from '../../../machine/bounded.js';
import { O_PATH } from '../../../machine/o-path.js';
import { inFolder } from '../workspace/in-folder.js';
import { isPipe } from '../workspace/is-pipe.js';

/** git opens its own files of a working tree without a look at what they are, and waits for whoever opens the other end. */
const OWN_FILES = ['(', '-name', '.git*', '-o', '-path', '*/.git/*', ')'];
/** Then after twice as long each time: it takes a walk through the tree. */
const FIRST_LOOK_MS = 1_000;
const MAX_FOUND_BYTES = 1_000_000;

/** GIT_FAILED where git would wait once it has begun to write files in these folders of the tree, and in all above them. */
export function refusePipes(tree: string, folders: string[]): void {
  const all = new Set(['.']);
  for (const folder of folders.filter(Boolean)) {
    for (let above = folder; !all.has(above); above = dirname(above)) all.add(above);
  }
  for (const folder of all) {
    const path = join(folder, '.gitattributes');
    if (isPipe(join(tree, path))) throw waitsFor(path);
  }
}

/** Resolves with GIT_FAILED when a git waits for a pipe of this folder; with undefined when it is over before. */
export async function watchForPipe(folder: string, over: AbortSignal): Promise<Failure | undefined> {
  for (let ms = FIRST_LOOK_MS; !over.aborted; ms *= 2) {
    await delay(ms, undefined, { signal: over, ref: false }).catch(() => undefined);
    const path = (await pipesIn(folder, over)).find((pipe) => isWaitedFor(folder, pipe));
    if (path !== undefined) return waitsFor(path);
  }
  return undefined;
}

/** `find` and not Node.js: it reaches what lies deeper than the longest path that the kernel takes. */
async function pipesIn(folder: string, signal: AbortSignal): Promise<string[]> {
  if (signal.aborted) return [];
  const { stdout } = await execa('find', [folder, '-xdev', '-type', 'p', ...OWN_FILES, '-print0'], {
    reject: false,
    stderr: 'ignore',
    maxBuffer: MAX_FOUND_BYTES,
    cancelSignal: signal,
  });
  return stdout
    .split('\0')
    .slice(0, -1)
    .map((path) => relative(folder, path));
}

/** Whether somebody has opened it to read: a write that does not wait is refused otherwise. */
function isWaitedFor(workspace: string, path: string): boolean {
  let isOpen = false;
  inFolder(workspace, dirname(path), (folder) => {
    isOpen = canBeWritten(join(folder, basename(path)));
  });
  return isOpen;
}

function canBeWritten(pipe: string): boolean {
  const opened: number[] = [];
  const open = (path: string, flags: number) => opened.push(openSync(path, flags));
  try {
    open(pipe, O_PATH | constants.O_NOFOLLOW);
    const held = opened[0] ?? -1;
    if (!fstatSync(held).isFIFO()) return false; // it was exchanged
    open(`/proc/self/fd/${held}`, constants.O_WRONLY | constants.O_NONBLOCK);
    return true;
  } catch {
    return false;
  } finally {
    for (const descriptor of opened) closeSync(descriptor);
  }
}

const waitsFor = (path: string): Failure =>
  new Failure('GIT_FAILED', `${shortened(path)} is a named pipe, and git would wait for it`, {
    suggestion: 'Have a script of the repository remove that pipe, or unload the repository and clone it again.',
  });
