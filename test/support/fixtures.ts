import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import type { GitFile } from './git-repository.js';

const APPS = resolve('test/fixtures/apps');
const PROGRAMS = resolve('test/fixtures/processes');

/** The files of a fixture app, by path: what a Git repository is made of. */
export function fixture(name: string): Record<string, string> {
  const root = join(APPS, name);
  const files = readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((found) => found.isFile())
    .map((file) => join(file.parentPath, file.name))
    .filter((path) => !path.includes('/node_modules/'));
  return Object.fromEntries(files.map((path) => [relative(root, path), readFileSync(path, 'utf8')]));
}

/** The programs of `test/fixtures/processes`, for the root of a repository. */
export function programs(): Record<string, GitFile> {
  return Object.fromEntries(
    readdirSync(PROGRAMS).map((name) => {
      const text = readFileSync(join(PROGRAMS, name), 'utf8');
      return [name, name.endsWith('.sh') ? { executable: text } : text];
    }),
  );
}

/** A package.json with these scripts and nothing else. */
export const packageJson = (scripts: Record<string, string>, more: object = {}): string =>
  JSON.stringify({ name: 'fixture', version: '1.0.0', private: true, scripts, ...more });
