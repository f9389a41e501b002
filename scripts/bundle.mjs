/**
 * Part of the build: the compiled server and the code of its threads, each in one file with the libraries that it uses,
 * and beside it what V8 has made of it. Node.js needs far longer to find, read and compile 2,500 files than to run them.
 */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { build } from 'esbuild';

/** @type {import('esbuild').BuildOptions} */
const common = {
  bundle: true,
  platform: 'node',
  format: 'cjs',
  target: 'node20',
  logLevel: 'warning',
  // A function, which src/bundle.cts calls: such a script knows of no modules but by the `require` that it is given.
  banner: { js: '(function (require, bundleUrl) { const module = { exports: {} };' },
  footer: { js: 'return module.exports; })' },
  supported: { 'dynamic-import': false },
  define: { 'import.meta.url': 'bundleUrl' },
};

await build({
  ...common,
  entryPoints: ['dist/workers/thread/entry.js'],
  outfile: 'dist/thread.bundle.js',
  external: ['pacote'], // larger than all the rest, and loaded by those few operations that fetch a toolchain
});
const [exitCode] = await once(new Worker('./dist/thread-loader.cjs', { workerData: 'record' }), 'exit');
if (exitCode !== 0) throw new Error('the code of the threads cannot be started');

await build({
  ...common,
  entryPoints: ['dist/main.js'],
  outfile: 'dist/station.bundle.js',
  keepNames: true, // Nest, Swagger and TypeORM go by the names of classes
  external: [
    'better-sqlite3',
    'koffi',
    'swagger-ui-dist', // bring files that they look for beside them
    '@fastify/static',
    '@nestjs/microservices',
    '@nestjs/microservices/*',
    'bufferutil',
    'utf-8-validate', // optional
  ],
});
recordStation();

function recordStation() {
  const folder = mkdtempSync(join(tmpdir(), 'docking-station-build-'));
  const [DATA_DIR, WORKSPACE_DIR] = [join(folder, 'data'), join(folder, 'workspace')];
  const { PATH } = process.env;
  const env = { PATH, PORT: '0', SANDBOX: 'none', DATA_DIR, WORKSPACE_DIR };
  try {
    const { status, stderr } = spawnSync(process.execPath, ['dist/station-loader.cjs', '--record'], {
      env,
      encoding: 'utf8',
      timeout: 60_000,
      killSignal: 'SIGKILL',
    });
    if (status !== 0) throw new Error(`the server cannot be started: ${stderr}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
