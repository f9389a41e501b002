import type { FailureData } from './failure.js';
import type { App, PackageManagerChoice, PackageManagerName, VersionChoice } from './shapes.js';
import type { ProcessTree } from './process-tree.js';

import type { OperationName } from './operation-names.js';

export type { OperationName };

/** Where one repository lives on disk. Absolute paths. */
export interface RepositoryPaths {
  /** The working tree: `WORKSPACE_DIR/<repoId>`. */
  workspace: string;
  /** Own HOME, temporary files and package manager caches: `WORKSPACE_DIR/.homes/<uid>`. */
  home: string;
  /**
   * Where a clone grows until it is whole, and operations have what only they need: `WORKSPACE_DIR/.staging/<uid>`. It goes
   * with the repository only: another operation may be about to put something there.
   */
  staging: string;
}

/** Names credentials that the owner has stored. */
export interface StoredCredentials {
  credentialId: string;
}

/** An https token or an ssh key, for one operation. Never logged, never in an argument list, on disk with mode 0600 only. */
export type GitCredentials = { username?: string; token: string } | { privateKey: string; passphrase?: string };

export interface GitAccess {
  credentials?: GitCredentials;
  /** `host:port` entries that may resolve to non-public addresses, and may be reached by http. */
  allowedHosts: string[];
  /** Path of the known_hosts file for ssh; without it every ssh host is unknown. */
  knownHosts?: string;
}

/** Where installs and apps get their tools from. */
export interface ToolchainAccess {
  /** `DATA_DIR/toolchains`: each version once, complete or absent. */
  store: string;
  /** What the server's own npm configuration says about reaching the registry. */
  registry: RegistryAccess;
}

/** Read once at start from the server's npm configuration; handed to every package manager in its own words. */
export interface RegistryAccess {
  /** With trailing slash. */
  url: string;
  /** Path of a PEM file with further certificate authorities. */
  cafile?: string;
  strictSsl: boolean;
  httpProxy?: string;
  httpsProxy?: string;
  noProxy?: string;
}

/** What was installed, kept with the repository: run uses the same tools, update tells whether they are still right. */
export interface InstallRecord {
  packageManager: PackageManagerChoice & { name: PackageManagerName };
  node: VersionChoice;
  /** Absolute path of the node binary that was used. */
  nodePath: string;
  /** Folders to put on PATH, first to last: where node and the package managers are. */
  binPaths: string[];
  /** Digest of manifest and lockfiles; when it changes, an install is due. */
  fingerprint: string;
  production: boolean;
}

export interface CloneInput {
  /** Canonical, without credentials. */
  repoUrl: string;
  /** A branch or a tag; the default branch when left out. */
  branch?: string;
  /** Commits of history; 0 is all of it. */
  depth: number;
  git: GitAccess;
}

export interface CloneOutput {
  /** The URL cloned from: another than asked for where the host redirected. */
  repoUrl: string;
  branch: string;
  /** What `branch` is: updates follow a branch to its tip, and a tag to where it points. */
  refKind: 'branch' | 'tag';
  commit: string;
  /** Whether package.json declares dependencies; `run` needs no install where it declares none. */
  declaresDependencies: boolean;
  warnings: string[];
}

export interface InstallInput {
  packageManager?: PackageManagerName;
  production: boolean;
  strictEngines: boolean;
  ignoreScripts: boolean;
  /** Keeps aside what was installed before, for a `settle` to put back or to remove. */
  keepsPrevious?: boolean;
  toolchain: ToolchainAccess;
}

export interface InstallResult {
  packageManager: PackageManagerChoice;
  node: VersionChoice;
  /** Whether the lockfile was installed exactly as it is. */
  frozen: boolean;
  /** `name@version` of packages whose install scripts the package manager did not run. */
  scriptsNotRun: string[];
  durationMs: number;
  warnings: string[];
}

export interface InstallOutput {
  result: InstallResult;
  record: InstallRecord;
}

export interface UpdateInput {
  repoUrl: string;
  /** The ref to move to; `undefined` stays on the tracked one. */
  branch?: string;
  tracked: { branch: string; refKind: 'branch' | 'tag' };
  git: GitAccess;
  /** Fingerprint of the last install, if there was one. */
  installedFingerprint?: string;
  /** Whether the app is to be restarted: then what is to be undone after a crash of the server is more than the tree. */
  restarts?: boolean;
}

export interface UpdateOutput {
  repoUrl: string;
  branch: string;
  refKind: 'branch' | 'tag';
  from: string;
  to: string;
  /** Paths, at most 1000 of them; `changedFileCount` is their true number. */
  changedFiles: string[];
  changedFileCount: number;
  /** New commits, newest first, at most 100. */
  commits: { commit: string; subject: string; author: string; time: number }[];
  dependenciesChanged: boolean;
  declaresDependencies: boolean;
  /** The ref that keeps local changes which upstream overwrote. */
  savedRef?: string;
  warnings: string[];
}

/** The end of an update: what it takes to undo it is removed, or is made use of. */
export interface SettleInput {
  accepted: boolean;
  /** Whether the old version can be installed next where its build is lost; then the update is settled once more. */
  rebuilds?: boolean;
  /** Whether another try may be made where the tree cannot be put back: at the next start. Else the way back is given up. */
  mayTryAgain?: boolean;
  /** Whether to remove what has come to the roots of workspace and home since its install began; nothing may run. */
  removesNew?: boolean;
}

export interface SettleOutput {
  /** Why the tree was not put back. */
  failure?: FailureData;
  /** The commit that is checked out; null where that cannot be told. */
  commit: string | null;
  /** `untouched`: no install has changed them; `lost`: they have to be installed again. */
  dependencies: 'untouched' | 'restored' | 'lost';
  /** `lost`: what scripts of an install have built may be of the version that was given up. */
  build: 'untouched' | 'lost';
}

export interface RunInput {
  script?: string;
  /** On `host`, where it was free when the thread was started. */
  port: number;
  /** Given to the app as PORT: the same, but where it has a network of its own and the one asked for was taken. */
  appPort: number;
  /** The one asked for, where it was taken. */
  requestedPort?: number;
  /** Where apps are published (APP_HOST). */
  host: string;
  env: Record<string, string>;
  background: boolean;
  readyTimeoutMs: number;
  ready?: { http?: string; log?: string };
  liveness?: { http: string; intervalMs: number };
  /** Tools of the last install; without one (no dependencies declared) the thread chooses them. */
  installed?: InstallRecord;
  toolchain: ToolchainAccess;
  stopGraceMs: number;
  restarts: number;
}

export interface RunResult extends App {
  readiness: 'listening' | 'exited' | 'timeout';
  /** What may not be as expected: it does not listen yet, has another port, has failed in the foreground. */
  warnings: string[];
  /** The next two with `background: false` only: the last 64 kB of output, and whether there was more. */
  output?: string;
  truncated?: boolean;
}

export interface StopInput {
  tree: ProcessTree;
  graceMs: number;
  /** To be free again before stop answers. */
  ports: number[];
}

export interface StopOutput {
  /** Whether SIGKILL was needed. */
  forced: boolean;
  durationMs: number;
}

export interface StatusInput {
  installed?: InstallRecord;
  /** The app's process tree while it runs. */
  tree?: ProcessTree;
}

export interface StatusOutput {
  git: {
    branch: string | null;
    commit: string | null;
    upstream: string | null;
    ahead: number;
    behind: number;
    clean: boolean;
    changed: string[];
    untracked: number;
  };
  /** null where there is no readable package.json. */
  package: {
    name: string | null;
    version: string | null;
    scripts: Record<string, string>;
    dependencies: { declared: number; installed: number };
  } | null;
  diskBytes: number;
  /** CPU in percent of one core since the start of each process, memory as resident bytes of the whole tree. */
  process: { cpuPercent: number; memoryBytes: number; processes: number } | null;
  warnings: string[];
}

export type UnloadInput = Record<string, never>;

export interface UnloadOutput {
  freedBytes: number;
}

export interface RecoverInput {
  /** Fingerprint of the last install, if there was one. */
  installedFingerprint?: string;
}

/** Where a repository stands after an update that was cut off. */
export interface RecoverOutput {
  commit: string;
  /** null where HEAD is on none. */
  branch: string | null;
  declaresDependencies: boolean;
  /** Whether the last install fits no more. */
  dependenciesChanged: boolean;
}

/** What a thread is given and what it hands back, said once for both sides. */
export interface OperationContract {
  clone: { input: CloneInput; output: CloneOutput };
  install: { input: InstallInput; output: InstallOutput };
  update: { input: UpdateInput; output: UpdateOutput };
  run: { input: RunInput; output: RunResult };
  stop: { input: StopInput; output: StopOutput };
  status: { input: StatusInput; output: StatusOutput };
  unload: { input: UnloadInput; output: UnloadOutput };
  /** Not for callers to ask for: accepts or undoes an update, at its end or at the next start of the server. */
  settle: { input: SettleInput; output: SettleOutput };
  /** Not for callers to ask for: what the server finds of a repository at its start. */
  recover: { input: RecoverInput; output: RecoverOutput };
}

/** What a thread can be told to do: the operations, and what the station has done besides. */
export type ThreadOperation = keyof OperationContract;
