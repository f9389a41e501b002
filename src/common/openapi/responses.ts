import { applyDecorators, type Type } from '@nestjs/common';
import { ApiExtraModels, ApiResponse, getSchemaPath } from '@nestjs/swagger';
import type { FailureCode } from '../../contracts/failure-codes.js';
import { FAILURE_CODES } from '../../contracts/failure-codes.js';
import { FAILURE_STATUS } from '../failure-status.js';
import { Problem } from './problem.dto.js';

type Decorator = MethodDecorator & ClassDecorator;

/** A success: `{success: true, …, result}`; `about` adds the fields that name operation and repository. */
export function ApiResult(
  result: Type,
  {
    status = 200,
    description = 'Done.',
    about = false,
  }: { status?: number; description?: string; about?: boolean } = {},
): Decorator {
  const named = {
    operation: { type: 'string' },
    operationId: { type: 'string' },
    repoId: { type: 'string' },
    uid: { type: 'string' },
  };
  return applyDecorators(
    ApiExtraModels(result),
    ApiResponse({
      status,
      description,
      schema: {
        type: 'object',
        required: ['success', ...(about ? Object.keys(named) : []), 'result'],
        properties: {
          success: { type: 'boolean', enum: [true] },
          ...(about && named),
          result: { $ref: getSchemaPath(result) },
        },
      },
    }),
  );
}

/** The failures that a route is known for, grouped by their HTTP status. */
export function ApiFailures(...codes: FailureCode[]): Decorator {
  const statuses = [...new Set(codes.map((code) => FAILURE_STATUS[code]))];
  return applyDecorators(
    ApiExtraModels(Problem),
    ...statuses.map((status) => {
      const ofStatus = codes.filter((code) => FAILURE_STATUS[code] === status);
      return ApiResponse({
        status,
        description: ofStatus.map((code) => `\`${code}\`: ${FAILURE_CODES[code].title}.`).join(' '),
        content: { 'application/problem+json': { schema: { $ref: getSchemaPath(Problem) } } },
      });
    }),
  );
}
