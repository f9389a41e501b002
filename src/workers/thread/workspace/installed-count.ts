import { existsSync, realpathSync } from 'node:fs';
import { join, sep } from 'node:path';

/** How many of the packages lie in the workspace's `node_modules`; all of them where Plug'n'Play stands for it. */
export function installedCount(workspace: string, names: string[]): number {
  if (existsSync(join(workspace, '.pnp.cjs'))) return names.length;
  const root = realpathSync(workspace) + sep;
  return names.filter((name) => locate(join(workspace, 'node_modules', name))?.startsWith(root)).length;
}

/** Where links lead to: a package manager's lead into the workspace, anybody else's may lead anywhere. */
function locate(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined; // not installed
  }
}
