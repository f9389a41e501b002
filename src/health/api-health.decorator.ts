import { applyDecorators } from '@nestjs/common';
import { ApiOkResponse, ApiServiceUnavailableResponse } from '@nestjs/swagger';
import { HealthCheck } from '@nestjs/terminus';

/**
 * A probe: its answer is never cached, and documented here. Terminus would document a database that the station does not
 * have, and load Swagger for it in a way that bundlers cannot follow.
 */
export const ApiHealth = (): MethodDecorator =>
  applyDecorators(
    HealthCheck({ noCache: true, swaggerDocumentation: false }),
    ApiOkResponse({ description: 'All is well.', schema: answer('ok') }),
    ApiServiceUnavailableResponse({ description: 'Something is not; `error` says what.', schema: answer('error') }),
  );

const answer = (status: 'ok' | 'error') => ({
  type: 'object',
  required: ['status', 'info', 'error', 'details'],
  properties: {
    status: { type: 'string', enum: [status] },
    info: indicators('Those that are up.'),
    error: indicators('Those that are down.'),
    details: indicators('All of them.'),
  },
});

const indicators = (description: string) => ({
  type: 'object',
  description,
  additionalProperties: {
    type: 'object',
    required: ['status'],
    properties: { status: { type: 'string', enum: ['up', 'down'] } },
    additionalProperties: true,
  },
});
