/** The architecture as a failing check: dependencies point down only. */
const SPEC = '\\.spec\\.ts$';
const IO = '^(child_process|cluster|dgram|dns|fs|http|http2|https|inspector|readline|repl|tls|worker_threads)(/|$)';

/**
 * @param {string} name
 * @param {string} comment
 * @param {object} from
 * @param {object} to
 * @returns {import('dependency-cruiser').IForbiddenRuleType}
 */
const forbid = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to });

/** The folders of src/workers/thread/: each may import those that come after it. */
const THREAD_FOLDERS = [
  'operations',
  'app',
  'update',
  'git',
  'package-manager',
  'toolchain',
  'project',
  'sandbox',
  'ports',
  'workspace',
];

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    forbid('no-circles', 'Files that need each other are one thing, or miss a third.', {}, { circular: true }),
    forbid('nothing-unresolvable', 'It would fail at run time.', {}, { couldNotResolve: true }),
    forbid(
      'threads-know-contracts-and-the-machine-only',
      'A thread shares no state with the server: src/contracts and src/machine are all that both import.',
      { path: '^src/workers/thread/', pathNot: SPEC },
      { path: '^src/', pathNot: '^src/(contracts|machine|workers/thread)/' },
    ),
    forbid(
      'thread-code-runs-in-threads',
      'What both sides need belongs to src/machine. The pool cleans up behind its threads, the probe runs before there are any, and the recovery reads the journal that an update has written.',
      {
        path: '^src/',
        pathNot: `^src/workers/|^src/operations/(station-isolation|recovery\\.service)\\.ts$|${SPEC}`,
      },
      { path: '^src/workers/thread/' },
    ),
    ...THREAD_FOLDERS.slice(1).map((folder, index) =>
      forbid(
        `${folder}-knows-nothing-above-it`,
        'Folders that need each other are one room with two doors.',
        { path: `^src/workers/thread/${folder}/`, pathNot: SPEC },
        { path: `^src/workers/thread/(${THREAD_FOLDERS.slice(0, index + 1).join('|')})/` },
      ),
    ),
    forbid(
      'the-machine-stands-on-contracts',
      'Threads import it, so it must know nothing of the server.',
      { path: '^src/machine/', pathNot: SPEC },
      { path: '^src/', pathNot: '^src/(contracts|machine)/' },
    ),
    forbid(
      'threads-are-nest-free',
      'Nest would cost every thread its start-up time.',
      { path: '^src/(machine|workers/thread)/' },
      { path: '(^|/)node_modules/(@nestjs|reflect-metadata)/' },
    ),
    forbid(
      'contracts-stand-alone',
      'Everything may import contracts, so contracts import nothing of it.',
      { path: '^src/contracts/', pathNot: SPEC },
      { path: '^src/', pathNot: '^src/contracts/' },
    ),
    forbid(
      'contracts-do-no-io',
      'Contracts are types, tables and pure functions.',
      { path: '^src/contracts/', pathNot: SPEC },
      { path: IO, dependencyTypes: ['core'], dependencyTypesNot: ['type-only'] },
    ),
    forbid(
      'contracts-use-no-framework',
      'Threads import contracts, and threads are Nest-free.',
      { path: '^src/contracts/' },
      { path: '(^|/)node_modules/(@nestjs|typeorm|class-validator|class-transformer)/' },
    ),
    forbid(
      'only-doors-import-repo',
      'repo/ is the first door to the station; the other doors reuse it, nothing below may.',
      { path: '^src/', pathNot: `^src/(repo|mcp|dashboard)/|^src/[^/]+\\.ts$|${SPEC}` },
      { path: '^src/repo/' },
    ),
    forbid(
      'lower-layers-know-no-operations',
      'What carries operations out does not know who orders them; the shape of a request (a type) may be stored.',
      { path: '^src/(auth|common|config|events|idempotency|registry|workers)/', pathNot: SPEC },
      { path: '^src/operations/', dependencyTypesNot: ['type-only'] },
    ),
    forbid(
      'owners-stand-above-operations',
      'What follows from a plan has operations done; operations only ask auth/ what a plan allows.',
      { path: '^src/(auth|operations)/', pathNot: SPEC },
      { path: '^src/owners/' },
    ),
    forbid(
      'tests-are-not-imported',
      'The product stands without them.',
      { path: '^src/', pathNot: SPEC },
      { path: '^test/' },
    ),
    forbid('specs-are-not-imported', 'What two specs share belongs in test/support.', {}, { path: SPEC }),
    forbid(
      'runs-without-dev-dependencies',
      'npm ci --omit=dev must be enough to run dist/.',
      { path: '^src/', pathNot: SPEC },
      { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], dependencyTypesNot: ['type-only'] },
    ),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|test/fixtures/apps)/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
};
