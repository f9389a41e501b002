import type { Type } from '@nestjs/common';
import * as results from '../common/openapi/results.dto.js';
import type { FailureCode } from '../contracts/failure-codes.js';
import type { OperationName } from '../contracts/operation-names.js';

interface OperationDocs {
  summary: string;
  description?: string;
  result: Type;
  /** Of this operation; what every operation may answer is added by its route. */
  failures?: FailureCode[];
}

/** An update that restarts the app installs what it needs, and starts it. */
const OF_A_RESTART: FailureCode[] = ['INSTALL_FAILED', 'REGISTRY_UNREACHABLE', 'SCRIPT_NOT_FOUND', 'APP_EXITED'];

/** What the API documentation says of each operation. */
export const OPERATION_DOCS: Record<OperationName, OperationDocs> = {
  clone: {
    summary: 'Clone a repository',
    description: 'Only what may lie behind a public address is fetched, unless the administrator lists its host.',
    result: results.CloneResultDto,
    failures: [
      'INVALID_URL',
      'INVALID_BRANCH',
      'GIT_HOST_NOT_ALLOWED',
      'ALREADY_LOADED',
      'REPO_ID_TAKEN',
      'GIT_AUTH_REQUIRED',
      'GIT_REPOSITORY_NOT_FOUND',
      'GIT_BRANCH_NOT_FOUND',
      'GIT_HOST_KEY_UNKNOWN',
      'GIT_FAILED',
      'EMPTY_REPOSITORY',
      'GIT_UNREACHABLE',
    ],
  },
  status: {
    summary: 'Git status, scripts, dependencies, disk use and process',
    description: 'Read afresh in a thread; never waits behind a clone or an install.',
    result: results.StatusResultDto,
    failures: ['SANDBOX_UNAVAILABLE'],
  },
  install: {
    summary: 'Install dependencies',
    result: results.InstallResultDto,
    failures: [
      'NO_PACKAGE_JSON',
      'BAD_PACKAGE_JSON',
      'INSTALL_FAILED',
      'PACKAGE_MANAGER_UNAVAILABLE',
      'ENGINE_MISMATCH',
      'REGISTRY_UNREACHABLE',
    ],
  },
  update: {
    summary: 'Fetch the tracked branch or tag and move to it',
    description:
      'Upstream wins for tracked files; what it overwrites is saved under a ref that the result names. With `restart` a ' +
      'version that does not prove itself is undone: the context of UPDATE_ROLLED_BACK has `from`, `to`, `failedStep` ' +
      '(install, stop, start or health), `outcomes` and `logs` of the `old` and the `new` version.',
    result: results.UpdateResultDto,
    failures: [
      'INVALID_BRANCH',
      'GIT_HOST_NOT_ALLOWED',
      'GIT_AUTH_REQUIRED',
      'GIT_REPOSITORY_NOT_FOUND',
      'GIT_BRANCH_NOT_FOUND',
      'GIT_HOST_KEY_UNKNOWN',
      'GIT_FAILED',
      'EMPTY_REPOSITORY',
      'UPDATE_ROLLED_BACK',
      'ROLLBACK_FAILED',
      'GIT_UNREACHABLE',
      ...OF_A_RESTART,
    ],
  },
  run: {
    summary: 'Run a script of package.json',
    description:
      'Answers once the app listens (`ready: true`), has exited, or `readyTimeoutMs` is over; with `background: false` ' +
      'at its end, 200 whatever the exit code.',
    result: results.RunResultDto,
    failures: [
      'ENV_NOT_ALLOWED',
      'ALREADY_RUNNING',
      'DEPENDENCIES_NOT_INSTALLED',
      'PORT_IN_USE',
      'NO_PACKAGE_JSON',
      'BAD_PACKAGE_JSON',
      'SCRIPT_NOT_FOUND',
      'APP_EXITED',
      'PACKAGE_MANAGER_UNAVAILABLE',
      'REGISTRY_UNREACHABLE',
    ],
  },
  stop: {
    summary: 'Stop the app',
    description: 'Answers when every process of it is dead and its port is free; `alreadyStopped` when nothing runs.',
    result: results.StopResultDto,
  },
  unload: {
    summary: 'Unload a repository',
    description: 'Stops the app, cancels what is queued, removes workspace, cache and entry. A second call joins it.',
    result: results.UnloadResultDto,
  },
};
