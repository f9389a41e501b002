import { existsSync, readdirSync, type Dirent } from 'node:fs';
import { join } from 'node:path';
import { shortened } from '../../../machine/bounded.js';
import { parseManifest } from '../project/parse-manifest.js';
import { readInside } from '../../../machine/read-inside.js';
import { textAt } from '../project/project-manifest.js';

/** Of a dependency fewer are run than of the project itself. */
const DEPENDENCY_SCRIPTS = ['preinstall', 'install', 'postinstall'];
const MAX_RECORD_BYTES = 64_000_000;
const MAX_NESTING = 50;

/** What pnpm 10 and later have refused to build, by their own record. */
export function ignoredByPnpm(workspace: string): string[] {
  try {
    const text = readInside(workspace, 'node_modules/.modules.yaml', MAX_RECORD_BYTES)?.toString('utf8') ?? '{}';
    // JSON in every version that refuses anything; older ones write YAML.
    const { ignoredBuilds = [] } = JSON.parse(text) as { ignoredBuilds?: unknown[] };
    // With the peers that it was resolved with in parentheses.
    return ignoredBuilds.map((one) => shortened(String(one)).replace(/\(.*/, ''));
  } catch {
    return []; // one of an older version, or none that can be read
  }
}

/** Every `name@version` below node_modules that has install scripts: none of them has run when scripts were off. */
export function packagesWithScripts(workspace: string): string[] {
  const found = new Set<string>();
  for (const root of ['node_modules', 'node_modules/.pnpm']) collect(workspace, root, found);
  return [...found].toSorted();
}

function collect(workspace: string, nodeModules: string, found: Set<string>, nesting = 1): void {
  if (nesting > MAX_NESTING) return;
  for (const folder of packageFolders(workspace, nodeModules)) {
    const id = withScripts(workspace, folder);
    if (id) found.add(id);
    collect(workspace, join(folder, 'node_modules'), found, nesting + 1);
  }
}

/** Without links: what they lead to is found where it lies, and a circle is not followed. */
function packageFolders(workspace: string, nodeModules: string): string[] {
  return foldersIn(join(workspace, nodeModules)).flatMap(({ name }) => {
    const path = join(nodeModules, name);
    if (!name.startsWith('@')) return name === '.pnpm' || name === '.bin' ? [] : [path];
    return foldersIn(join(workspace, path)).map((scoped) => join(path, scoped.name));
  });
}

function foldersIn(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  } catch {
    return []; // there is none, or it lies deeper than the longest path that the kernel takes
  }
}

function withScripts(workspace: string, folder: string): string | undefined {
  try {
    const manifest = parseManifest(workspace, join(folder, 'package.json')) ?? {};
    const scripts = Object(manifest.scripts) as object;
    const builds =
      DEPENDENCY_SCRIPTS.some((script) => script in scripts) || existsSync(join(workspace, folder, 'binding.gyp'));
    return builds ? `${textAt(manifest, 'name')}@${textAt(manifest, 'version')}` : undefined;
  } catch {
    return undefined; // no package, or a broken one
  }
}
