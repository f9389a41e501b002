import type { CredentialDto } from '../../auth/dto/credential.dto.js';
import type { OwnerNoticeDto } from '../../auth/dto/owner-notice.dto.js';
import type { PatronDto } from '../../auth/dto/plan.dto.js';
import { UNBOUNDED } from '../../auth/plans/plan.js';
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
  ...{ pid: null, ready: false, exitCode: null, signal: 'SIGTERM', stoppedAt: TIME + 60_000, stopReason: 'stop' },
};

const repository: Plain<RepositoryDto> = {
  ...about,
  repoUrl: 'https://github.com/octocat/Hello-World',
  branch: 'main',
  commit: COMMIT,
  state: 'running',
  owner: 'admin',
  visibility: 'private',
  ...{ packageManager, node, isolation, network },
  limits: { memoryMb: 4096, processes: 1024, diskMb: 10_240, enforcedBy: 'watchdog' },
  app,
  createdAt: TIME - 90_000,
  updatedAt: TIME,
};

const cloned: Plain<results.CloneResultDto> = {
  ...repository,
  ...{ state: 'cloned', packageManager: null, node: null, app: undefined },
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
  app: { ...ended, exitCode: 1, signal: null, stopReason: 'Error: no database' },
};

const status: Plain<results.StatusResultDto> = {
  ...repository,
  git: {
    ...{ branch: 'main', commit: COMMIT, upstream: 'origin/main', ahead: 0, behind: 0 },
    ...{ clean: false, changed: ['README.md'], untracked: 1 },
  },
  package: {
    ...{ name: 'hello-world', version: '1.0.0', scripts: { start: 'node server.js' } },
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
  ...{ packageManager, node, frozen: true, scriptsNotRun: ['esbuild@0.25.0'], durationMs: 5210, warnings: [] },
};
const run: Plain<results.RunResultDto> = { ...app, readiness: 'listening' };
const stop: Plain<results.StopResultDto> = {
  ...{ stopped: true, alreadyStopped: false, exitCode: null, signal: 'SIGTERM', forced: false, durationMs: 112 },
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
  ...{ isolation, network },
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
  nextCursor: '1767225599980_op_e4af878c9b',
};
const logs: Plain<LogPageDto> = {
  lines: [
    { seq: 41, time: TIME - 5, stream: 'system', text: '$ node server.js' },
    { seq: 42, time: TIME, stream: 'stdout', text: 'listening on 20000' },
  ],
  nextCursor: 'op_e4af878c9b.42',
  dropped: 0,
};

const key = {
  ...{ id: '0b7f3c1e-5a3d-4a53-9c4e-0d5a3f1b2c7d', prefix: 'dock_Q2x8a', name: 'laptop', owner: 'alice', admin: false },
  ...{ scopes: ['read', 'run', 'stop'], createdAt: TIME, expiresAt: 1_893_456_000_000, lastUsedAt: TIME + 60_000 },
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
  ...{ readiness: 'exited', exitCode: 2, signal: null, output: 'src/main.ts: error\n', truncated: false },
};

const use = { repositories: 3, runningApps: 1, operationsAtOnce: 0, queuedOperations: 0, diskMb: 412 };

const audited = {
  ...{ auditId: 'au_5c1f0e6b7a8d9243', time: 1_764_000_000_000, owner: 'alice', door: 'rest', address: '203.0.113.7' },
  ...{ keyId: '2f0d3c3e-6a55-4c8e-9c0e-5c5b7a1d9e42', action: 'clone', repoId: 'octocat-hello-world' },
  ...{
    uid: 'r_3f9c2ab81d4e6f70',
    operationId: 'op_e4af878c9b621e3816b3',
    outcome: 'failed',
    code: 'GIT_AUTH_REQUIRED',
  },
};

const supporter = {
  ...{ id: 'supporter', name: 'Supporter', permissions: ['read', 'clone', 'install', 'run', 'stop', 'unload'] },
  quotas: {
    ...{ repositories: 3, runningApps: 1, operationsAtOnce: 1, queuedOperations: 10 },
    ...{ memoryPerAppMb: 1024, diskPerRepositoryMb: 2048, diskMb: 4096, requestsPerMinute: 120, keys: 3 },
  },
  tiers: ['10203040'],
};

const notice: Plain<OwnerNoticeDto> = {
  ...{ time: TIME, owner: 'patreon:12345678', plan: 'supporter', code: 'PLAN_LAPSED' },
  message:
    'The plan has lapsed: the membership has ended. Apps that run are stopped on 2026-01-08, and repositories are kept until 2026-01-31.',
  ...{ appsStopAt: 1_767_830_400_000, unloadAt: 1_769_817_600_000 },
};
const patron: Plain<PatronDto> = {
  ...{ name: 'Ada', patronStatus: 'active_patron', tierIds: ['10203040'], lastChargeStatus: 'Paid' },
  ...{ nextChargeAt: 1_769_904_000_000, confirmedAt: TIME, phase: 'active', isUnmapped: false },
};
const credential: Plain<CredentialDto> = {
  ...{ credentialId: 'cred_5c1f0e6b7a8d9243', name: 'GitHub', kind: 'https', createdAt: TIME },
};

/** Of each the first is the schema's; the others are for the fields that it does not have. */
export const EXAMPLES: Record<string, [unknown, ...unknown[]]> = {
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
  KeyDto: [key, { ...key, key: 'dock_Q2x8a9Zr0kYwC1mB7tJ5pLhV3nXe6sGuDfAqIoTyR4c' }],
  KeyListDto: [{ keys: [key] }],
  MeDto: [
    {
      ...{ owner: 'alice', admin: false, plan: null, permissions: ['read', 'clone', 'install', 'run', 'stop'] },
      ...{ limits: UNBOUNDED, use },
    },
    { plan: 'supporter', notice, patron },
  ],
  AuditPageDto: [{ records: [audited], nextCursor: '1764000000000.au_5c1f0e6b7a8d9243' }],
  AuditRecordDto: [audited],
  PlanListDto: [{ plans: [supporter] }],
  PlanDto: [supporter],
  QuotasDto: [supporter.quotas],
  OwnerUseDto: [use],
  OwnerDto: [
    { owner: 'alice', plan: 'supporter', limits: supporter.quotas, use },
    { owner: notice.owner, patron },
  ],
  OwnerNoticeDto: [notice],
  PatronDto: [patron],
  SignedInDto: [
    { key: 'dock_Q2x8a9Zr0kYwC1mB7tJ5pLhV3nXe6sGuDfAqIoTyR4c', owner: notice.owner, plan: 'supporter' },
    { notice },
  ],
  CredentialDto: [credential],
  CredentialListDto: [{ credentials: [credential] }],
  StoreCredentialDto: [
    { name: 'GitHub', username: 'octocat', token: 'github_pat_…' },
    { privateKey: '-----BEGIN OPENSSH PRIVATE KEY-----\n…', passphrase: '…' },
  ],
  OwnerListDto: [{ owners: [{ owner: 'alice', plan: 'supporter', limits: supporter.quotas, use }] }],
  GrantPlanDto: [{ plan: 'supporter' }],
  CloneDto: [
    { repoUrl: 'https://github.com/octocat/Hello-World.git', branch: 'main', depth: 1, production: false },
    { isolated: true, repoId: 'my-app', visibility: 'private', packageManager: 'npm' },
  ],
  CredentialsDto: [
    { username: 'octocat', token: 'github_pat_…' },
    { privateKey: '-----BEGIN OPENSSH PRIVATE KEY-----\n…', passphrase: '…' },
    { credentialId: credential.credentialId },
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
  VisibilityDto: [{ visibility: 'shared' }],
  CreateKeyDto: [
    { name: 'laptop', owner: 'alice', scopes: ['read', 'run', 'stop'], expiresAt: 1_893_456_000_000 },
    { admin: false },
  ],
};
