import { applyDecorators, HttpCode } from '@nestjs/common';
import { ApiHeader, ApiOperation } from '@nestjs/swagger';
import { Authenticated } from '../auth/access.decorator.js';
import { PERMISSION_FOR } from '../auth/operation-permissions.js';
import { IdempotencyHeader } from '../common/openapi/headers.js';
import { OperationDto } from '../common/openapi/operation.dto.js';
import { ApiFailures, ApiResult } from '../common/openapi/responses.js';
import { LIMIT_CODES, type FailureCode } from '../contracts/failure-codes.js';
import type { OperationName } from '../contracts/operation-names.js';
import { OPERATION_DOCS } from './operation-docs.js';
import { MAX_WAIT_SECONDS } from './prefer.js';

/** What operations answer that were let in, whatever they are. */
const COMMON: FailureCode[] = ['CANCELLED', 'WORKER_CRASHED', 'INTERRUPTED', 'TIMED_OUT', 'QUEUE_FULL', 'DRAINING'];
const MUTATING: FailureCode[] = ['IDEMPOTENCY_KEY_REUSED'];
/** What those are told that run programs. */
const LIMITED: FailureCode[] = ['SANDBOX_UNAVAILABLE', 'PLAN_LIMIT', ...LIMIT_CODES];
const LIMITED_OPERATIONS = new Set<OperationName>(['clone', 'install', 'update', 'run']);

/** A route that asks for an operation: permission, waiting and idempotency, all with their documentation. */
export function OperationRoute(operation: OperationName): MethodDecorator {
  const { summary, description, result, failures = [] } = OPERATION_DOCS[operation];
  const status = operation === 'clone' ? 201 : 200;
  const codes = [
    ...failures,
    ...COMMON,
    ...(operation === 'status' ? [] : MUTATING),
    ...(LIMITED_OPERATIONS.has(operation) ? LIMITED : []),
  ];
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
    ApiResult(result, {
      status,
      about: 'operation',
      operation,
      description:
        'It has succeeded: `result` is its outcome. Under 202 it is the record of the operation instead, ' +
        'which alone has an `operationId` and a `status`.',
    }),
    ApiResult(OperationDto, {
      status: 202,
      about: 'operation',
      operation,
      description:
        'It goes on: `result` is its record, to be read again at `Location`, and no outcome. What tells them apart is the ' +
        'HTTP status, and that only a record has an `operationId` and a `status`.',
    }),
    ApiFailures(...codes),
    Authenticated({ permission: PERMISSION_FOR[operation], operation }),
  );
}
