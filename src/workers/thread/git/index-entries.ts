import type { Git } from './git.js';

interface IndexEntry {
  path: string;
  mode: string;
  object: string;
  isLookedAt: boolean;
}

/** What the index of `git` holds. */
export async function entriesOf(folder: string, git: Git): Promise<IndexEntry[]> {
  const lines = (await git.run(folder, ['ls-files', '-v', '--stage', '-z'])).split('\0').filter(Boolean);
  return lines.map((line) => {
    const [tag, mode = '', object = ''] = line.split(/[ \t]/, 3);
    return { path: line.slice(line.indexOf('\t') + 1), mode, object, isLookedAt: tag === 'H' };
  });
}

/** Path → the commit that is to be checked out there. */
export const submodulesAmong = (entries: IndexEntry[]): Map<string, string> =>
  new Map(entries.filter(({ mode }) => mode === '160000').map(({ path, object }) => [path, object]));
