import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { mkdtemp, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { removeFolders } from '../../../machine/remove-folders.js';
import { shellQuoted } from '../shell-quoted.js';
import type { Programs } from './programs.js';

/**
 * A folder for PATH in which `node` and the package managers are exactly the chosen ones, also for the scripts that call
 * them by name. Named by its content, so that it is made once and never changed.
 */
export async function provideBinFolder(store: string, nodePath: string, programs: Programs): Promise<string> {
  const key = createHash('sha256')
    .update(JSON.stringify([nodePath, programs]))
    .digest('hex')
    .slice(0, 16);
  const folder = join(store, 'bin', key);
  if (existsSync(folder)) return folder;
  mkdirSync(dirname(folder), { recursive: true });
  const aside = await mkdtemp(join(store, '.incoming-'));
  try {
    symlinkSync(nodePath, join(aside, 'node'));
    for (const [name, { path, native }] of Object.entries(programs)) {
      if (native) symlinkSync(path, join(aside, name));
      // Not by its #! line, which takes the first node on PATH: a dependency may have put its own there.
      else
        writeFileSync(join(aside, name), `#!/bin/sh\nexec ${shellQuoted(nodePath)} ${shellQuoted(path)} "$@"\n`, {
          mode: 0o555,
        });
    }
    chmodSync(aside, 0o755); // mkdtemp makes it for its owner alone; a sandbox may have another user
    await rename(aside, folder);
  } catch (error) {
    if (!existsSync(folder)) throw error;
  } finally {
    await removeFolders([aside]);
  }
  return folder;
}
