import { AUTH_EXAMPLES } from './auth-example-values.js';
import type { LogPageDto, OperationDto, OperationPageDto } from './operation.dto.js';
import { failure, problem, type Plain } from './problem-examples.js';
import type { AppDto, RepositoryDto } from './repository.dto.js';
import type * as results from './results.dto.js';

/** What real answers of a station look like, by the name of their schema. The tests hold them against the schemas. */

const REPO_ID = 'octocat-hello-world';
const UID = 'r_3f9c2ab81d4e6f70';
const OPERATION_ID = 'op_e4af878c9b621e3816b3';
const TIME = 1_767_225_600_000;
const COMMIT = '7fd1a60b01f91b314f59955a4e4d4e80d8edf11d';
const NEXT_COMMIT = '553c2077f0edc3d5dc5d17262f6aa498e69d6f8e';

const about = { repoId: REPO_ID, uid: UID };
const isolation = { driver: 'bubblewrap' } as const;
const network = { mode: 'shared', reason: 'NETWORK=shared' } as const;
const limits = {
  memoryMb: 4096,
  processes: 1024,
  diskMb: 10_240,
  cpuWeight: null,
  cpuReason: 'there is no cgroup v2',
  enforcedBy: 'watchdog',
} as const;
const packageManager = { wanted: 'npm', used: 'npm', version: '10.8.2', why: 'package-lock.json' };
const node = { wanted: '>=22', used: '22.12.0', why: 'engines.node of package.json' };

const app: Plain<AppDto> = {
  pid: 4711,
  script: 'start',
  command: 'node server.js',
  port: 20_000,
  appPort: 3000,
  ports: [
    { appPort: 3000, port: 20_000 },
    { appPort: 3001, port: 20_001 },
  ],
  requestedPort: 3000,
  url: 'http://127.0.0.1:20000',
  ready: true,
  startedAt: TIME,
  restarts: 0,
};

const ended: Plain<AppDto> = {
  ...app,
  pid: null,
  url: null,
  ready: false,
  exitCode: null,
  signal: 'SIGTERM',
  stoppedAt: TIME + 60_000,
  stopReason: 'stop',
};

const repository: Plain<RepositoryDto> = {
  ...about,
  repoUrl: 'https://github.com/octocat/Hello-World',
  branch: 'main',
  commit: COMMIT,
  state: 'running',
  owner: 'admin',
  visibility: 'private',
  packageManager,
  node,
  isolation,
  network,
  limits,
  app,
  createdAt: TIME - 90_000,
  updatedAt: TIME,
};

const cloned: Plain<results.CloneResultDto> = {
  ...repository,
  state: 'cloned',
  packageManager: null,
  node: null,
  app: undefined,
  durationMs: 1830,
  warnings: ['The Git host redirects https://github.com/octocat/hello to https://github.com/octocat/Hello-World'],
};

const broken: Plain<RepositoryDto> = {
  ...repository,
  state: 'error',
  stateReason: {
    code: 'APP_EXITED',
    message: 'The app exited with code 1 3120 ms after its start: Error: no database',
    context: { lastLines: ['Error: no database'] },
  },
  activeOperation: {
    operationId: OPERATION_ID,
    operation: 'run',
    phase: 'receiving objects',
    percent: 45,
    queuePosition: 1,
  },
  app: { ...ended, exitCode: 1, signal: null, stopReason: 'crashed', stopMessage: 'Error: no database' },
};

const status: Plain<results.StatusResultDto> = {
  ...repository,
  git: {
    branch: 'main',
    commit: COMMIT,
    upstream: 'origin/main',
    ahead: 0,
    behind: 0,
    clean: false,
    changed: ['README.md'],
    untracked: 1,
  },
  package: {
    name: 'hello-world',
    version: '1.0.0',
    scripts: { start: 'node server.js' },
    dependencies: { declared: 2, installed: 2 },
  },
  diskBytes: 4_194_304,
  process: { ...app, cpuPercent: 1.5, memoryBytes: 73_400_320, processes: 3 },
  warnings: [],
};

const update: Plain<results.UpdateResultDto> = {
  from: COMMIT,
  to: NEXT_COMMIT,
  changedFiles: ['README.md', 'server.js'],
  changedFileCount: 2,
  commits: [{ commit: NEXT_COMMIT, subject: 'Say hello to all', author: 'Octocat', time: TIME }],
  dependenciesChanged: false,
  restartRequired: false,
  savedRef: `refs/docking-station/saved/${TIME}`,
  restarted: true,
  rolledBack: false,
  logs: { new: { source: 'app', operationId: OPERATION_ID, lastLines: ['listening on 20000'] } },
  warnings: [],
};

const install: Plain<results.InstallResultDto> = {
  packageManager,
  node,
  frozen: true,
  scriptsNotRun: ['esbuild@0.25.0'],
  durationMs: 5210,
  warnings: [],
};
const run: Plain<results.RunResultDto> = { ...app, readiness: 'listening', warnings: [] };
const stop: Plain<results.StopResultDto> = {
  stopped: true,
  alreadyStopped: false,
  exitCode: null,
  signal: 'SIGTERM',
  forced: false,
  durationMs: 112,
};
const unload: Plain<results.UnloadResultDto> = { unloaded: true, appStopped: true, freedBytes: 4_194_304 };

const operation: Plain<OperationDto> = {
  operationId: OPERATION_ID,
  operation: 'run',
  ...about,
  owner: 'admin',
  status: 'running',
  phase: 'starting',
  percent: 45,
  message: 'start: node server.js',
  queuedAt: TIME - 20,
  startedAt: TIME,
  timeoutMs: 330_000,
  isolation,
  network,
  limits,
};
const failed: Plain<OperationDto> = {
  ...operation,
  status: 'failed',
  phase: null,
  finishedAt: TIME + 40,
  error: failure,
};

const operations: Plain<OperationPageDto> = {
  operations: [operation, failed],
  nextCursor: `${TIME - 20}.${OPERATION_ID}`,
};
const logs: Plain<LogPageDto> = {
  lines: [
    { seq: 41, time: TIME - 5, stream: 'system', text: '$ node server.js' },
    { seq: 42, time: TIME, stream: 'stdout', text: 'listening on 20000' },
  ],
  nextCursor: 'op_e4af878c9b621e3816b3.42',
  dropped: 0,
};

const queued: Plain<OperationDto> = {
  ...operation,
  status: 'queued',
  queuePosition: 2,
  phase: 'queued',
  startedAt: undefined,
};
const succeeded: Plain<OperationDto> = { ...failed, status: 'succeeded', percent: 100, error: undefined, result: run };
const foreground: Plain<results.RunResultDto> = {
  ...ended,
  readiness: 'exited',
  warnings: ['The script has failed, with exit code 2: read its output.'],
  exitCode: 2,
  signal: null,
  output: 'src/main.ts: error\n',
  truncated: false,
};

/** Of each the first is the schema's; the others are for the fields that it does not have. */
export const EXAMPLES: Record<string, [unknown, ...unknown[]]> = {
  ...AUTH_EXAMPLES,
  RepositoryDto: [repository, broken],
  RepositoryListDto: [{ repositories: [repository, broken], count: 2 } satisfies results.RepositoryListDto],
  AppDto: [app, broken.app],
  IsolationDto: [isolation, { driver: 'none', reason: 'SANDBOX=none' }],
  CloneResultDto: [cloned, broken],
  StatusResultDto: [status, broken],
  ProcessDto: [status.process, broken.app],
  InstallResultDto: [install],
  UpdateResultDto: [update],
  RunResultDto: [run, foreground],
  StopResultDto: [stop, { ...stop, exitCode: 0, signal: null }],
  UnloadResultDto: [unload],
  OperationDto: [operation, failed, queued, succeeded],
  OperationPageDto: [operations],
  LogPageDto: [logs],
  Problem: [problem],
  CloneDto: [
    { repoUrl: 'https://github.com/octocat/Hello-World.git', branch: 'main', depth: 1, production: false },
    { isolated: true, repoId: 'my-app', visibility: 'private', packageManager: 'npm' },
  ],
  CredentialsDto: [
    { username: 'octocat', token: 'github_pat_…' },
    { privateKey: '-----BEGIN OPENSSH PRIVATE KEY-----\n…', passphrase: '…' },
    { credentialId: 'cred_5c1f0e6b7a8d9243' },
  ],
  InstallDto: [
    { packageManager: 'npm', production: true },
    { strictEngines: true, ignoreScripts: false },
  ],
  UpdateDto: [{ branch: 'main', restart: true }],
  RunDto: [
    { background: true, port: 3000, script: 'start', env: { NODE_ENV: 'development' } },
    { readyTimeoutMs: 60_000, timeoutMs: 600_000, restartPolicy: 'always' },
    { ready: { http: '/health' }, liveness: { http: '/health', intervalMs: 10_000 } },
  ],
  StopDto: [{ graceMs: 5000 }],
  RepositoryChangeDto: [{ visibility: 'shared' }, { credentials: { token: 'ghp_…' } }],
};
