/**
 * Part of the build: every source compiled to a module of its own. Types are not looked at, which takes ten times as long
 * and is for `npm run check`.
 */
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { transformFile } from '@swc/core';
import { swc } from '../swc.config.mjs';

const sources = (await readdir('src', { recursive: true, withFileTypes: true }))
  .filter((entry) => entry.isFile() && /\.c?ts$/.test(entry.name) && !entry.name.endsWith('.spec.ts'))
  .map((entry) => join(entry.parentPath, entry.name));

await rm('dist', { recursive: true, force: true });
await Promise.all(
  sources.map(async (source) => {
    const target = join('dist', relative('src', source)).replace(/ts$/, 'js');
    const isCommonJs = source.endsWith('.cts');
    const { code, map = '' } = await transformFile(source, {
      ...swc,
      swcrc: false,
      module: { type: isCommonJs ? 'commonjs' : 'es6' },
      sourceMaps: true,
      sourceFileName: relative(dirname(target), source),
    });
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, `${code}//# sourceMappingURL=${target.split('/').at(-1)}.map\n`);
    await writeFile(`${target}.map`, map);
  }),
);
