import {
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { RepositoryPaths } from '../../../contracts/operations.js';
import { exists } from '../../../machine/exists.js';
import type { GitThread } from '../git/git.js';
import { withReadOnlyView } from '../git/read-only-view.js';
import { WRITTEN_FILES } from '../package-manager/written-files.js';
import { isChangedSince } from './changed-since.js';
import { inFolder, removeInside } from '../workspace/in-folder.js';
import { installedPaths, YARN_CACHE, YARN_PATHS } from './installed-paths.js';
import { readInside } from '../../../machine/read-inside.js';
import { updateFolder, writeWhole } from './update-journal.js';

/** What is kept in the staging folder of what was installed before an update: the record of it, and where it lies. */
interface Kept {
  /** Moved there by rename: it costs no disk and no time. Each is named by its place in this list. */
  moved: string[];
  copied: string[];
  /** Whether that is all. */
  complete: boolean;
  /** When it was written down, and what was at the root of the workspace. */
  time: number;
  names: string[];
  /** At the root of the home. */
  namesInHome: string[];
}

const MAX_FILE_BYTES = 64_000_000;

const recordIn = (staging: string): string => join(updateFolder(staging), 'dependencies.json');
const placeOf = (staging: string, name: string | number): string =>
  join(updateFolder(staging), 'dependencies', String(name));

/** Takes away what was installed, so that an install makes it anew and does not touch the old one. */
export async function keepDependencies(thread: GitThread): Promise<void> {
  const { workspace, home, staging } = thread.context.paths;
  mkdirSync(placeOf(staging, ''), { recursive: true });
  const { paths, complete } = installedPaths(workspace);
  const isTracked = paths.includes(YARN_CACHE) && (await tracks(workspace, YARN_CACHE, thread));
  const kept: Kept = {
    moved: paths.filter((path) => path !== YARN_CACHE || !isTracked),
    copied: WRITTEN_FILES.filter((name) => copy(workspace, name, placeOf(staging, name))),
    complete,
    time: lstatSync(placeOf(staging, '')).ctimeMs,
    names: readdirSync(workspace),
    namesInHome: namesIn(home),
  };
  writeWhole(recordIn(staging), JSON.stringify(kept));
  for (const [index, path] of kept.moved.entries()) {
    if (!take(workspace, path, placeOf(staging, index))) kept.complete = false;
  }
  if (!kept.complete) writeWhole(recordIn(staging), JSON.stringify(kept));
}

/** Puts back what was kept; what was put back already stays. */
export class KeptDependencies {
  private discarded = 0;

  private constructor(
    private readonly paths: RepositoryPaths,
    private readonly kept: Kept,
  ) {}

  /** Undefined when no install has changed anything. */
  static of(paths: RepositoryPaths): KeptDependencies | undefined {
    const record = recordIn(paths.staging);
    return existsSync(record)
      ? new KeptDependencies(paths, JSON.parse(readFileSync(record, 'utf8')) as Kept)
      : undefined;
  }

  /** Whether anything else was changed since: by scripts of the install, or by the app. */
  get isMoreChanged(): boolean {
    return isChangedSince(this.paths.workspace, this.kept, [...this.kept.moved, ...WRITTEN_FILES, ...YARN_PATHS]);
  }

  /** What the install has made where nothing was before. */
  removeNew(): void {
    const { moved, copied } = this.kept;
    const made = [...installedPaths(this.paths.workspace).paths, ...WRITTEN_FILES];
    for (const path of made)
      if (path !== YARN_CACHE && !moved.includes(path) && !copied.includes(path)) this.discard(path);
  }

  /** Whatever stands at the root of workspace or home and did not then. Nobody can tell who made it. */
  async removeAllNew(): Promise<void> {
    const { workspace, home } = this.paths;
    for (const [folder, names] of [
      [workspace, this.kept.names],
      [home, this.kept.namesInHome],
    ] as const) {
      for (const name of namesIn(folder)) if (!names.includes(name)) await removeInside(folder, name);
    }
  }

  /** As far as there is a place for it: where the folder of a member is gone, it comes back with the tree. */
  restore(): void {
    const { workspace, staging } = this.paths;
    const places = [...this.kept.moved.entries(), ...this.kept.copied.map((name) => [name, name] as const)];
    for (const [name, path] of places) {
      const place = placeOf(staging, name);
      if (!exists(place)) continue;
      this.discard(path);
      inFolder(workspace, dirname(path), (folder) => renameSync(place, join(folder, basename(path))));
    }
  }

  /** Whether everything is in its place again. */
  get isWhole(): boolean {
    return this.kept.complete && this.kept.moved.every((_, index) => !exists(placeOf(this.paths.staging, index)));
  }

  private discard(path: string): void {
    const { workspace, staging } = this.paths;
    // One that was cut off may have discarded some before.
    while (exists(placeOf(staging, `discarded-${this.discarded}`))) this.discarded += 1;
    take(workspace, path, placeOf(staging, `discarded-${this.discarded}`));
  }
}

/** Whether the repository has files of its own there. Its app may be running: nothing that it has put into `.git` counts. */
async function tracks(workspace: string, path: string, thread: GitThread): Promise<boolean> {
  return (await withReadOnlyView(workspace, thread, (git) => git.run(workspace, ['ls-files', '--', path]))) !== '';
}

/** Whether it is there now. Nothing is done where the path does not exist. */
function take(workspace: string, path: string, place: string): boolean {
  try {
    return inFolder(workspace, dirname(path), (folder) => {
      if (exists(join(folder, basename(path)))) renameSync(join(folder, basename(path)), place);
    });
  } catch {
    return false; // another user's
  }
}

function copy(workspace: string, name: string, place: string): boolean {
  try {
    const content = readInside(workspace, name, MAX_FILE_BYTES);
    if (!content) return false;
    const { uid, gid, mode } = lstatSync(join(workspace, name));
    writeFileSync(place, content, { mode });
    chownSync(place, uid, gid);
    return true;
  } catch {
    return false; // a link that leads out, or another user's
  }
}

const namesIn = (folder: string): string[] => (existsSync(folder) ? readdirSync(folder) : []);
