import { applyDecorators, type Type } from '@nestjs/common';
import { ApiExtension, ApiExtraModels, ApiHeader, ApiResponse, getSchemaPath } from '@nestjs/swagger';
import type { FailureCode } from '../../contracts/failure-codes.js';
import { LogPageDto } from './operation.dto.js';
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

function envelope(result: Type, { operation, about }: ResultDocs) {
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

/** A log: a page of it, or server-sent events as it grows. */
export const ApiLog = (): MethodDecorator =>
  applyDecorators(
    ApiExtraModels(LogPageDto),
    ApiHeader({
      name: 'Last-Event-ID',
      required: false,
      description:
        'With `Accept: text/event-stream`: go on after the event with this id. An EventSource sends it itself.',
      schema: {
        type: 'string',
        pattern: '^(?:op_[0-9a-f]{1,64}\\.)?\\d{1,15}$',
        example: 'op_e4af878c9b621e3816b3.41',
      },
    }),
    ApiResponse({
      status: 200,
      description:
        'A page as JSON, or events: `log` is a line whose `id` is its cursor, `dropped` says how many are lost.',
      content: {
        'application/json': { schema: envelope(LogPageDto, {}) },
        'text/event-stream': { schema: { type: 'string' }, example: EVENTS },
      },
    }),
    ApiResponse({
      status: 204,
      description: 'To `Last-Event-ID`: nothing has come since, and nothing can come any more.',
    }),
  );

const EVENTS = `: follow with Last-Event-ID

event: log
id: op_e4af878c9b621e3816b3.42
data: {"seq":42,"time":1767225600000,"stream":"stdout","text":"listening on 20000"}

event: dropped
data: {"dropped":17}

`;

/** In the document as it comes from Nest: one for each code. The responses are made of these. */
export const FAILURE_PREFIX = 'x-failure-';

/** The failures that a route is known for, beside those that follow from what it is. Each use adds to the others. */
export const ApiFailures = (...codes: FailureCode[]): MethodDecorator =>
  applyDecorators(ApiExtraModels(Problem), ...codes.map((code) => ApiExtension(FAILURE_PREFIX + code, true)));
