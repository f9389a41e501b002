import type { GitCredentials, InstallRecord, StoredCredentials } from '../contracts/operations.js';
import type { ProcessTree } from '../contracts/process-tree.js';
import type { RepositoryState } from '../contracts/repository-states.js';
import type {
  App,
  IsolationReport,
  LimitsReport,
  NetworkReport,
  PackageManagerName,
  StateReason,
  Visibility,
} from '../contracts/shapes.js';
import type { RunOptions } from '../contracts/operation-options.js';

/** A docked repository as it is kept: in the database, and in its manifest, from which the database can be rebuilt. */
export interface RepositoryEntry {
  uid: string;
  /** Unique per owner, not on the station. */
  repoId: string;
  owner: string;
  visibility: Visibility;
  /** Name of the workspace folder below WORKSPACE_DIR: the repoId, or `<repoId>~<uid>` where another owner came first. */
  workspace: string;
  /** Canonical, without credentials, as asked for: what ALREADY_LOADED compares. */
  canonicalUrl: string;
  /** Where it is fetched from: another URL where the host redirected. */
  repoUrl: string;
  /** The branch or tag that updates follow; null until it is known. */
  branch: string | null;
  refKind: 'branch' | 'tag';
  commit: string | null;
  depth: number;
  state: RepositoryState;
  stateReason: StateReason | null;
  declaresDependencies: boolean;
  /** Defaults for install that the clone gave. */
  defaults: { production?: boolean; packageManager?: PackageManagerName };
  /** null until an install has succeeded, and again when its dependencies have changed or it was cancelled. */
  installed: InstallRecord | null;
  /** What the clone asked for: true never runs unconfined, false always does. */
  isolated: boolean | null;
  /** What is in force; found out anew at each start. */
  isolation: IsolationReport;
  network: NetworkReport;
  limits: LimitsReport;
  app: App | null;
  /** Which run the app came from; its log is kept under this id. */
  appOperationId: string | null;
  /** Whether it has been ready since it was run with these options; it may be about to return. */
  appWasReady?: boolean;
  /** The commit that the app was started from. */
  appCommit?: string | null;
  /** The last update that was accepted: what is left of any other is undone when the server starts. */
  lastUpdate?: string;
  /** How to find the app's processes; null when none should be alive. */
  appTree: ProcessTree | null;
  /** Options of the last background run, environment included, so that the app can come back. Encrypted at rest. */
  runOptions: RunOptions | null;
  /** Credentials that clones and updates use. Encrypted at rest. */
  credentials: GitCredentials | StoredCredentials | null;
  /** The last event number that is reserved: after a start of the server counting goes on behind it. */
  eventSeq: number;
  /** Which station holds the workspace, and which of its lives: for several stations on one database. */
  homeNode: string;
  epoch: number;
  createdAt: number;
  updatedAt: number;
}
