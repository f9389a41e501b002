/** `npm start`: the server in this very process, built first where dist/ is missing or older than its sources. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(fileURLToPath(import.meta.url), '../..');
const entry = join(root, 'dist/station-loader.cjs');
const stamp = join(root, 'dist/built');

/** @param {string} path */
const modified = (path) => (existsSync(path) ? statSync(path).mtimeMs : 0);

function newestSource() {
  const sources = join(root, 'src');
  if (!existsSync(sources)) return 0; // an image that holds dist/ alone
  const files = readdirSync(sources, { recursive: true, withFileTypes: true }).filter((found) => found.isFile());
  return Math.max(...files.map((file) => modified(join(file.parentPath, file.name))));
}

if (!existsSync(entry) || modified(stamp) < newestSource()) {
  console.log('Building, which takes some seconds and is needed once for each change of the sources …');
  const { status } = spawnSync('npm', ['run', '--silent', 'build'], { cwd: root, stdio: 'inherit' });
  if (status !== 0) {
    console.error('The build failed, so there is nothing to start: run `npm ci`, then `npm start` again.');
    process.exit(1);
  }
}

await import(entry);
