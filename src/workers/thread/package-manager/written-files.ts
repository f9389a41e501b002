/** Files at the root of a project that an install may write anew. */
export const WRITTEN_FILES = [
  '.pnp.cjs',
  '.pnp.loader.mjs',
  '.pnp.data.json',
  'package-lock.json',
  'npm-shrinkwrap.json',
  'yarn.lock',
  'pnpm-lock.yaml',
  'bun.lock',
  'bun.lockb',
];
