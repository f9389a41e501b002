import { applyDecorators, HttpCode, type Type } from '@nestjs/common';
import { ApiHeader, ApiOperation } from '@nestjs/swagger';
import { Authenticated } from '../auth/access.decorator.js';
import { PERMISSION_FOR } from '../auth/operation-permissions.js';
import { IdempotencyHeader } from '../common/openapi/headers.js';
import { OperationDto } from '../common/openapi/operation.dto.js';
import { ApiFailures, ApiResult } from '../common/openapi/responses.js';
import type { FailureCode } from '../contracts/failure-codes.js';
import type { OperationName } from '../contracts/operation-names.js';
import { MAX_WAIT_SECONDS } from './prefer.js';

interface RouteDocs {
  summary: string;
  description?: string;
  result: Type;
  /** Of this operation; what every operation may answer is added. */
  failures?: FailureCode[];
}

/** What operations answer that were let in, whatever they are. */
const COMMON: FailureCode[] = ['BAD_REQUEST', 'CANCELLED', 'TOO_LARGE', 'WORKER_CRASHED', 'INTERRUPTED', 'TIMED_OUT'];
const MUTATING: FailureCode[] = ['IDEMPOTENCY_KEY_REUSED', 'QUEUE_FULL', 'DRAINING', 'NO_SPACE'];

/** A route that asks for an operation: permission, waiting and idempotency, all with their documentation. */
export function OperationRoute(operation: OperationName, docs: RouteDocs): MethodDecorator {
  const status = operation === 'clone' ? 201 : 200;
  const addressed: FailureCode[] = operation === 'clone' ? [] : ['REPO_NOT_FOUND', 'AMBIGUOUS_REPO'];
  const failures = [...(docs.failures ?? []), ...addressed, ...COMMON, ...(operation === 'status' ? [] : MUTATING)];
  const { summary, description } = docs;
  return applyDecorators(
    HttpCode(status),
    ApiOperation({ summary, description }),
    ApiHeader({
      name: 'Prefer',
      required: false,
      description:
        '`respond-async` answers 202 at once, `wait=N` after at most N seconds. ' +
        `Without it the request waits for the outcome, ${MAX_WAIT_SECONDS} s at most.`,
    }),
    ...(operation === 'status' ? [] : [IdempotencyHeader]),
    ApiResult(docs.result, { status, about: true, description: 'It has succeeded.' }),
    ApiResult(OperationDto, {
      status: 202,
      about: true,
      description: 'It goes on; `Location` is where its record is read.',
    }),
    ApiFailures(...failures),
    Authenticated({ permission: PERMISSION_FOR[operation], operation }),
  );
}
