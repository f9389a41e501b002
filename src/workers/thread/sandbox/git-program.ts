import { readFileSync } from 'node:fs';
import { shellQuoted } from '../shell-quoted.js';
import type { LaunchFolder } from './launch-folder.js';
import type { GitProgram } from './sandbox.js';

/** Before git, inside: git and whoever it talks to may say anything, so that all before it has worked is told by a descriptor. */
export const BEGIN_GIT = ['/bin/sh', '-c', 'echo yes >&9; cd "$1" && shift && exec git "$@" 9>&-', 'sh'];

/** simple-git starts programs itself: a script that goes on with `command`, which ends in BEGIN_GIT, in its own folder. */
export function gitProgram(folder: LaunchFolder, setting: string, command: string): GitProgram {
  const begun = folder.write('git-begun', 'no \n'); // as long as its answer: that takes no room on a disk that is full
  const script = folder.write('git', `${setting}exec ${command} "$(pwd -P)" "$@" 9<>${shellQuoted(begun)}\n`);
  return { binary: ['/bin/sh', script], hasBegun: () => readFileSync(begun, 'utf8') === 'yes\n' };
}
