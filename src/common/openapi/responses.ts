import { applyDecorators, type Type } from '@nestjs/common';
import { ApiExtension, ApiExtraModels, ApiResponse, getSchemaPath } from '@nestjs/swagger';
import type { FailureCode } from '../../contracts/failure-codes.js';
import { OPERATION_NAMES, type OperationName } from '../../contracts/operation-names.js';
import type { ReadName } from '../envelope.js';
import { Problem } from './problem.dto.js';

interface ResultDocs {
  status?: number;
  description?: string;
  /** What `operation` is in the answer, where it has one. */
  operation?: OperationName | ReadName;
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

const text = (description: string, example: string) => ({ type: 'string', description, example });

const OPERATION_ID = text('Names the record of the operation.', 'op_e4af878c9b621e3816b3');
const REPOSITORY = {
  repoId: text('Of the repository, unique for its owner.', 'octocat-hello-world'),
  uid: text('Of the repository, unique on the station.', 'r_3f9c2ab81d4e6f70'),
};

/** Of operations one type for all; what is done at once is always the same. */
function operationField(name: OperationName | ReadName): object {
  const description = 'What was asked for.';
  if (!isOperationName(name)) return { type: 'string', enum: [name], description };
  return { allOf: [{ $ref: getSchemaPath('OperationName') }], description, example: name };
}

const isOperationName = (name: string): name is OperationName => OPERATION_NAMES.includes(name as OperationName);

/** The schema of a success with this result. */
export function envelope(result: Type, { operation, about }: ResultDocs) {
  const named: Record<string, object> = {
    ...((about ?? operation) && { operation: operationField(operation ?? 'clone') }),
    ...(about === 'operation' && { operationId: OPERATION_ID }),
    ...(about && REPOSITORY),
  };
  return {
    type: 'object',
    required: ['success', ...Object.keys(named), 'result'],
    properties: {
      success: { type: 'boolean', enum: [true] },
      ...named,
      result: { $ref: getSchemaPath(result) },
    },
  };
}

/** In the document as it comes from Nest: one for each code. The responses are made of these. */
export const FAILURE_PREFIX = 'x-failure-';

/** The failures that a route is known for, beside those that follow from what it is. Each use adds to the others. */
export const ApiFailures = (...codes: FailureCode[]): MethodDecorator =>
  applyDecorators(ApiExtraModels(Problem), ...codes.map((code) => ApiExtension(FAILURE_PREFIX + code, true)));
