import type { FailureCode } from '../../contracts/failure-codes.js';
import type { FailureDto, Problem } from './problem.dto.js';

/** The shape of a DTO, without its class. */
export type Plain<T> = { [K in keyof T]: T[K] };

const REPO_ID = 'octocat-hello-world';
const UID = 'r_3f9c2ab81d4e6f70';
const OPERATION_ID = 'op_e4af878c9b621e3816b3';

export const failure: Plain<FailureDto> = {
  code: 'SCRIPT_NOT_FOUND',
  message: 'package.json has no script "serve"',
  retryable: false,
  suggestion: 'Choose one of: start, build',
  context: { scripts: ['start', 'build'] },
};

export const problem: Plain<Problem> = {
  type: '/docs#SCRIPT_NOT_FOUND',
  title: 'package.json has no such script',
  status: 422,
  detail: failure.message,
  code: 'SCRIPT_NOT_FOUND',
  operation: 'run',
  operationId: OPERATION_ID,
  repoId: REPO_ID,
  retryable: failure.retryable,
  suggestion: failure.suggestion,
  context: failure.context,
  requestId: '48c4c391-17d0-4ca4-ba0b-463ee967f160',
};

/** What of a problem its code alone does not tell. */
export const PROBLEM_FACTS: Partial<Record<FailureCode, Partial<Problem>>> = {
  SCRIPT_NOT_FOUND: problem,
  BAD_REQUEST: {
    detail: 'foo: unknown field, expected no fields',
    context: { where: 'query', problems: ['foo: unknown field, expected no fields'] },
  },
  UNAUTHORIZED: { detail: 'The API key is not valid.' },
  FORBIDDEN: {
    detail: 'This key does not have the permission "run".',
    context: { permission: 'run', permissions: ['read'] },
  },
  REPO_NOT_FOUND: { detail: `No repository "${REPO_ID}" that this key may see.`, repoId: REPO_ID },
  AMBIGUOUS_REPO: {
    detail: `2 visible repositories have the id "${REPO_ID}".`,
    repoId: REPO_ID,
    context: { uids: [UID, 'r_9a01c4d2e8b7f356'] },
  },
  ALREADY_LOADED: {
    detail: `You have loaded this repository already: ${REPO_ID}`,
    operation: 'clone',
    context: { repoId: REPO_ID, uid: UID, state: 'cloned' },
  },
  APP_EXITED: {
    detail: 'The app exited with code 1 before it was ready: Error: no database',
    operation: 'run',
    operationId: OPERATION_ID,
    repoId: REPO_ID,
    context: {
      script: 'start',
      command: 'node server.js',
      exitCode: 1,
      signal: null,
      lastLines: ['Error: no database'],
    },
  },
  ALREADY_FINISHED: {
    detail: 'The operation has already finished: succeeded',
    context: { operationId: OPERATION_ID, status: 'succeeded' },
  },
};
