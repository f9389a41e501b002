import { applyDecorators, type Type } from '@nestjs/common';
import { ApiExtension, ApiExtraModels, ApiResponse, getSchemaPath } from '@nestjs/swagger';
import type { FailureCode } from '../../contracts/failure-codes.js';
import { Problem } from './problem.dto.js';

interface ResultDocs {
  status?: number;
  description?: string;
  /** What `operation` is in the answer, where it has one. */
  operation?: string;
  /** Whether the answer names the repository, or its record as well. */
  about?: 'repository' | 'operation';
}

/** A success: `{success: true, …, result}`; `about` adds the fields that say what of. */
export function ApiResult(
  result: Type,
  { status = 200, description = 'Done.', ...docs }: ResultDocs = {},
): MethodDecorator {
  return applyDecorators(ApiExtraModels(result), ApiResponse({ status, description, schema: envelope(result, docs) }));
}

const REPOSITORY = { repoId: 'octocat-hello-world', uid: 'r_3f9c2ab81d4e6f70' };

/** The schema of a success with this result. */
export function envelope(result: Type, { operation, about }: ResultDocs) {
  const named: Record<string, string> = {
    ...((about ?? operation) && { operation: operation ?? 'clone' }),
    ...(about === 'operation' && { operationId: 'op_e4af878c9b621e3816b3' }),
    ...(about && REPOSITORY),
  };
  const fields = Object.entries(named).map(([name, example]) => [name, { type: 'string', example }] as const);
  return {
    type: 'object',
    required: ['success', ...Object.keys(named), 'result'],
    properties: {
      success: { type: 'boolean', enum: [true] },
      ...Object.fromEntries(fields),
      result: { $ref: getSchemaPath(result) },
    },
  };
}

/** In the document as it comes from Nest: one for each code. The responses are made of these. */
export const FAILURE_PREFIX = 'x-failure-';

/** The failures that a route is known for, beside those that follow from what it is. Each use adds to the others. */
export const ApiFailures = (...codes: FailureCode[]): MethodDecorator =>
  applyDecorators(ApiExtraModels(Problem), ...codes.map((code) => ApiExtension(FAILURE_PREFIX + code, true)));
