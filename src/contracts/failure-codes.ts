/**
 * Every way in which the station refuses or fails, in one table. A code is stable: clients branch on it.
 * `title` is the short text of RFC 9457, `retryable` says whether the same request may succeed later unchanged, and
 * `suggestion` is the default next step; a failure may carry a more exact one.
 * The HTTP status of a code stands in `common/failure-status.ts`, the only place that knows about transports.
 */
interface FailureKind {
  readonly title: string;
  readonly retryable: boolean;
  readonly suggestion: string;
}

const kind = (title: string, suggestion: string, retryable = false): FailureKind => ({ title, suggestion, retryable });

export const FAILURE_CODES = {
  // What the caller sent
  BAD_REQUEST: kind('The request is malformed', 'Correct what this error names; /docs describes every field.'),
  INVALID_URL: kind('The repository URL is not valid', 'Give an https:// or ssh:// URL, or git@host:owner/repo.git.'),
  INVALID_BRANCH: kind('The branch name is not valid', 'Give the name of a branch or a tag as git prints it.'),
  GIT_HOST_NOT_ALLOWED: kind(
    'The Git host is not allowed',
    'Use a public host, or ask the administrator to add host:port to GIT_ALLOWED_HOSTS.',
  ),
  ENV_NOT_ALLOWED: kind('An environment variable is not allowed', 'Remove the named variable from env.'),
  UNAUTHORIZED: kind(
    'No valid API key',
    'Send a valid key: over REST "Authorization: Bearer <api_key>", over Socket.IO auth.apiKey in the handshake.',
  ),
  FORBIDDEN: kind('The key does not permit this', 'Use a key with the named permission, or ask the administrator.'),
  PLAN_LIMIT: kind(
    'The plan does not allow more',
    'Unload or stop what is not needed, or ask the administrator for a plan that allows more.',
  ),
  PLAN_LAPSED: kind('The plan has lapsed', 'Renew the membership on Patreon, then sign in again.'),
  NOT_A_PATRON: kind('No membership that comes with a plan', 'Join the campaign on Patreon, then sign in again.'),
  SIGN_IN_FAILED: kind('The sign-in could not be completed', 'Begin the sign-in again.'),
  SIGN_IN_DECLINED: kind('The sign-in was declined at Patreon', 'Begin the sign-in again, and allow it.'),
  BAD_SIGNATURE: kind(
    'The signature is not valid',
    'Check PATREON_WEBHOOK_SECRET against the webhook’s page at Patreon.',
  ),
  UNKNOWN_PLAN: kind('There is no such plan', 'Name one of the plans that the context lists.'),
  NOT_FOUND: kind('No such route', 'Check the address; /docs lists every route.'),
  REPO_NOT_FOUND: kind('No such repository', 'GET /repo/list shows the repositories that this key may see.'),
  OPERATION_NOT_FOUND: kind('No such operation', 'GET /operations shows the operations that this key may see.'),
  KEY_NOT_FOUND: kind('No such key', 'GET /auth/keys lists the keys.'),
  CREDENTIAL_NOT_FOUND: kind('No such stored credentials', 'GET /auth/credentials lists those that you have stored.'),
  ALREADY_LOADED: kind(
    'The repository is already loaded',
    'Use the existing repository, update it, or clone again with another repoId.',
  ),
  REPO_ID_TAKEN: kind('The repoId is taken', 'Choose another repoId, or leave it out to have one made.'),
  AMBIGUOUS_REPO: kind('Several visible repositories have this id', 'Name the one you mean by its uid.'),
  ALREADY_RUNNING: kind('The app is already running', 'Stop it first, or use update with restart.'),
  DEPENDENCIES_NOT_INSTALLED: kind('The dependencies are not installed', 'Run install first.'),
  PORT_IN_USE: kind('The port is in use', 'Choose another port, or leave it out to have one allocated.', true),
  ALREADY_FINISHED: kind('The operation has already finished', 'Read its outcome from GET /operations/:id.'),
  CANCELLED: kind('The operation was cancelled', 'Send the request again if it is still wanted.', true),
  IDEMPOTENCY_KEY_REUSED: kind(
    'The Idempotency-Key was used for another request',
    'Use a new Idempotency-Key for a request with another body.',
  ),
  TOO_LARGE: kind('The request is too large', 'Send a smaller body.'),
  RATE_LIMITED: kind(
    'Too many requests',
    'Wait for retryAfterSeconds of the context (over REST also Retry-After), and ask less often.',
    true,
  ),
  QUEUE_FULL: kind('The queue is full', 'Wait some seconds (over REST as Retry-After says), then send it again.', true),

  // What the repository, or what was asked of it, is at fault for
  GIT_AUTH_REQUIRED: kind(
    'The Git host asks for credentials',
    'Clone with `credentials` that may read the repository; a docked one is given others by PATCH /repo/:repoId.',
  ),
  GIT_REPOSITORY_NOT_FOUND: kind(
    'The Git host has no such repository',
    'Check the URL; a private repository may need credentials.',
  ),
  GIT_BRANCH_NOT_FOUND: kind('The branch or tag does not exist', 'Leave branch out to take the default branch.'),
  GIT_HOST_KEY_UNKNOWN: kind(
    'The SSH host key is not known',
    'Ask the administrator to add the host key to the file that GIT_KNOWN_HOSTS names.',
  ),
  GIT_FAILED: kind('git failed', 'Read the context and the log of the operation.'),
  EMPTY_REPOSITORY: kind('The repository has no commits', 'Push a first commit, then clone again.'),
  NO_PACKAGE_JSON: kind('There is no package.json', 'Only repositories with a package.json can be installed and run.'),
  BAD_PACKAGE_JSON: kind('The package.json cannot be read', 'Correct package.json in the repository and update.'),
  SCRIPT_NOT_FOUND: kind('package.json has no such script', 'Choose one of the scripts that the context lists.'),
  INSTALL_FAILED: kind(
    'The package manager failed',
    'Read the last lines in the context and the log of the operation.',
  ),
  PACKAGE_MANAGER_UNAVAILABLE: kind(
    'The package manager is not available',
    'Name a version that exists in the registry, or pass another packageManager.',
  ),
  ENGINE_MISMATCH: kind('The Node.js version does not fit', 'Install without strictEngines, or change engines.node.'),
  APP_EXITED: kind(
    'The app exited before it was ready',
    'Read the last lines in the context and GET /repo/:repoId/logs.',
  ),
  CRASH_LOOP: kind(
    'The app keeps crashing',
    'Read the last lines in the context of the reason and GET /repo/:repoId/logs, fix the cause, and run it again.',
  ),
  TOO_MANY_PROCESSES: kind('The limit of processes was reached', 'Start fewer processes, or ask for a higher limit.'),
  OUT_OF_MEMORY: kind('The memory limit was reached', 'Reduce the memory use, or ask for a higher limit.'),
  UPDATE_ROLLED_BACK: kind(
    'The update failed and was undone',
    'Read both logs in the context, fix the repository, and update again: the old version is back in place.',
  ),
  ROLLBACK_FAILED: kind(
    'The update failed, and the old version could not be brought back',
    'Read both logs in the context; then install and run, or update to a commit that works.',
  ),

  // What the station, its machine or the network is at fault for
  WORKER_CRASHED: kind('The worker thread ended unexpectedly', 'Send the request again; report it if it recurs.', true),
  INTERRUPTED: kind('The server stopped during the operation', 'Send the request again.', true),
  INTERNAL_ERROR: kind('An unexpected error', 'Report it with the requestId; the server log has the details.', true),
  GIT_UNREACHABLE: kind('The Git host cannot be reached', 'Check the host name and the network, then try again.', true),
  REGISTRY_UNREACHABLE: kind('The package registry cannot be reached', 'Check the network, then try again.', true),
  PATREON_UNAVAILABLE: kind('Patreon does not answer', 'Try again in a few minutes.', true),
  PATREON_NOT_CONFIGURED: kind(
    'Patreon is not set up here',
    'Use a key from the administrator; docs/patreon.md says how to set it up.',
  ),
  DRAINING: kind('The server is shutting down', 'Send the request again in a moment.', true),
  SANDBOX_UNAVAILABLE: kind('No working sandbox', 'GET /health says why; docs/isolation.md tells how to install one.'),
  TIMED_OUT: kind('The operation took too long', 'Raise WORKER_TIMEOUT, or reduce the work, and try again.', true),
  NO_SPACE: kind('The disk is full', 'Free disk space (unload what is not needed), then try again.', true),
  DISK_QUOTA: kind(
    'The disk limit of the repository was reached',
    'Unload it and clone it again, which frees what it has written, or ask the administrator for a higher limit.',
  ),
} as const satisfies Record<string, FailureKind>;

export type FailureCode = keyof typeof FAILURE_CODES;
export const FAILURE_CODE_NAMES = Object.keys(FAILURE_CODES) as FailureCode[];

/** What a repository fails with that uses more than it may. */
export const LIMIT_CODES = ['OUT_OF_MEMORY', 'TOO_MANY_PROCESSES', 'DISK_QUOTA'] as const satisfies FailureCode[];
export type LimitCode = (typeof LIMIT_CODES)[number];
