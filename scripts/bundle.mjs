/**
 * Part of the build: the compiled server and the code of its threads, each in one file with the libraries that it uses.
 * Node.js needs far longer to find and read 2,500 files than to run what is in them.
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { build } from 'esbuild';

/** @type {import('esbuild').BuildOptions} */
const common = { bundle: true, platform: 'node', target: 'node20', logLevel: 'warning' };

await build({
  ...common,
  entryPoints: ['dist/workers/thread/entry.js'],
  outfile: 'dist/thread.js',
  external: ['pacote'], // larger than all the rest, and loaded by those few operations that fetch a toolchain
  // A function, which src/thread-loader.cts calls: such a script knows of no modules but by the `require` that it is given.
  supported: { 'dynamic-import': false },
  banner: { js: '(function (require) { const module = { exports: {} };' },
  footer: { js: '})' },
});
const [exitCode] = await once(new Worker('./dist/thread-loader.cjs', { workerData: 'record' }), 'exit');
if (exitCode !== 0) throw new Error('the code of the threads cannot be started');

await build({
  ...common,
  entryPoints: ['dist/main.js'],
  outfile: 'dist/station.js',
  format: 'esm',
  keepNames: true, // Nest, Swagger and TypeORM go by the names of classes
  external: [
    ...['better-sqlite3', 'swagger-ui-dist'], // bring files that they look for beside them
    ...['@fastify/static', '@nestjs/microservices', '@nestjs/microservices/*', 'bufferutil', 'utf-8-validate'], // optional
  ],
  // What CommonJS modules expect to find.
  banner: {
    js: [
      "import { createRequire as createRequireOfBundle } from 'node:module';",
      'const require = createRequireOfBundle(import.meta.url);',
    ].join('\n'),
  },
});
