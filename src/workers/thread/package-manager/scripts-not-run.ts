import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const INSTALL_SCRIPTS = ['preinstall', 'install', 'postinstall'];

/** What pnpm 10 and later have refused to build, by their own record. */
export function ignoredByPnpm(workspace: string): string[] {
  try {
    const text = readFileSync(join(workspace, 'node_modules/.modules.yaml'), 'utf8');
    // JSON in every version that refuses anything; older ones write YAML.
    const { ignoredBuilds = [] } = JSON.parse(text) as { ignoredBuilds?: unknown[] };
    // With the peers that it was resolved with in parentheses.
    return ignoredBuilds.map((one) => String(one).replace(/\(.*/, ''));
  } catch {
    return []; // no such file, or one of an older version
  }
}

/** Every `name@version` below node_modules that has install scripts: none of them has run when scripts were off. */
export function packagesWithScripts(workspace: string): string[] {
  const found = new Set<string>();
  const roots = [join(workspace, 'node_modules'), join(workspace, 'node_modules/.pnpm')];
  for (const root of roots) collect(root, found);
  return [...found].toSorted();
}

function collect(nodeModules: string, found: Set<string>): void {
  for (const folder of packageFolders(nodeModules)) {
    const id = withScripts(folder);
    if (id) found.add(id);
    collect(join(folder, 'node_modules'), found);
  }
}

/** Without links: what they lead to is found where it lies, and a circle is not followed. */
function packageFolders(nodeModules: string): string[] {
  if (!existsSync(nodeModules)) return [];
  const folders = readdirSync(nodeModules, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return folders.flatMap(({ name }) => {
    const path = join(nodeModules, name);
    return name.startsWith('@') ? packageFolders(path) : name === '.pnpm' || name === '.bin' ? [] : [path];
  });
}

function withScripts(folder: string): string | undefined {
  try {
    const {
      name,
      version,
      scripts = {},
    } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
      name: string;
      version: string;
      scripts?: Record<string, string>;
    };
    const builds = INSTALL_SCRIPTS.some((script) => script in scripts) || existsSync(join(folder, 'binding.gyp'));
    return builds ? `${name}@${version}` : undefined;
  } catch {
    return undefined; // no package, or a broken one
  }
}
