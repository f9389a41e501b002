import { getSchemaPath, type OpenAPIObject } from '@nestjs/swagger';
import { FAILURE_CODES, type FailureCode } from '../../contracts/failure-codes.js';
import { FAILURE_STATUS, RETRY_AFTER_SECONDS } from '../failure-status.js';
import { PROBLEM_FACTS } from './problem-examples.js';
import { Problem } from './problem.dto.js';
import { FAILURE_PREFIX } from './responses.js';

type OperationObject = NonNullable<OpenAPIObject['paths'][string]['get']>;
type ResponseObject = { description: string; headers?: object };

const header = (type: string, description: string, example: unknown) => ({ description, schema: { type, example } });

const REQUEST_ID = {
  'X-Request-Id': header('string', 'The one that was sent, else a new one.', '48c4c391-17d0-4ca4-ba0b-463ee967f160'),
};
const APPLIED = { 'Preference-Applied': header('string', 'What of `Prefer` was heeded.', 'wait=10') };
const LOCATION = {
  Location: header('string', 'Where the record of the operation is read.', '/operations/op_e4af878c9b621e3816b3'),
};
const RETRY_AFTER = { 'Retry-After': header('integer', 'Seconds until another try makes sense.', 10) };
const CHALLENGE = { 'WWW-Authenticate': header('string', 'The scheme.', 'Bearer realm="docking-station"') };

/** Adds to every route the failures and the headers that follow from what it is, and says which ones need no key. */
export function completeResponses(document: OpenAPIObject): void {
  for (const methods of Object.values(document.paths)) {
    for (const [method, operation] of Object.entries(methods) as [string, OperationObject][]) {
      const stated = takeFailures(operation);
      const codes = [...stated, ...impliedFailures(method, operation)];
      if (operation.security || stated.length > 0) Object.assign(operation.responses, failureResponses(codes));
      const prefers = operation.parameters?.some((one) => 'name' in one && one.name === 'Prefer') ?? false;
      for (const [status, response] of Object.entries(operation.responses)) {
        const headers = { ...REQUEST_ID, ...headersOf(Number(status), codes, prefers) };
        Object.assign(response as ResponseObject, { headers });
      }
      operation.security ??= [];
    }
  }
}

/** Takes out of the document what its decorators have left in it. */
function takeFailures(operation: OperationObject): FailureCode[] {
  const fields = operation as unknown as Record<string, unknown>;
  const names = Object.keys(fields).filter((name) => name.startsWith(FAILURE_PREFIX));
  for (const name of names) delete fields[name];
  return names.map((name) => name.slice(FAILURE_PREFIX.length) as FailureCode);
}

/** Fields that it does not know are refused everywhere; a body may be too large; what is written needs space. */
function impliedFailures(method: string, { requestBody, parameters = [] }: OperationObject): FailureCode[] {
  const isAddressed = parameters.some((one) => 'name' in one && one.name === 'repoId');
  return [
    ...(['BAD_REQUEST', 'INTERNAL_ERROR'] as const),
    ...(requestBody ? (['TOO_LARGE'] as const) : []),
    ...(method === 'get' ? [] : (['NO_SPACE'] as const)),
    ...(isAddressed ? (['REPO_NOT_FOUND', 'AMBIGUOUS_REPO'] as const) : []),
  ];
}

function headersOf(status: number, codes: FailureCode[], prefers: boolean): object {
  const passes = codes.some((code) => FAILURE_STATUS[code] === status && RETRY_AFTER_SECONDS[code] !== undefined);
  return {
    ...(prefers && status < 300 && APPLIED),
    ...(status === 202 && LOCATION),
    ...(passes && RETRY_AFTER),
    ...(status === 401 && CHALLENGE),
  };
}

/** Grouped by HTTP status, each code with an example. */
function failureResponses(codes: FailureCode[]): Record<number, object> {
  const unique = [...new Set(codes)];
  const statuses = [...new Set(unique.map((code) => FAILURE_STATUS[code]))];
  return Object.fromEntries(
    statuses.map((status) => {
      const ofStatus = unique.filter((code) => FAILURE_STATUS[code] === status);
      const description = ofStatus.map((code) => `\`${code}\`: ${FAILURE_CODES[code].title}.`).join(' ');
      const examples = Object.fromEntries(
        ofStatus.map((code) => [code, { summary: FAILURE_CODES[code].title, value: problemOf(code) }]),
      );
      const schema = { $ref: getSchemaPath(Problem) };
      return [status, { description, content: { 'application/problem+json': { schema, examples } } }];
    }),
  );
}

function problemOf(code: FailureCode): Problem {
  const { title, suggestion, retryable } = FAILURE_CODES[code];
  return {
    type: `/docs#${code}`,
    title,
    status: FAILURE_STATUS[code],
    detail: `${title}.`,
    code,
    retryable,
    suggestion,
    context: {},
    requestId: '48c4c391-17d0-4ca4-ba0b-463ee967f160',
    ...PROBLEM_FACTS[code],
  };
}
