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
  example: status === 'ok' ? healthy : { status, info: {}, error: broken, details: broken },
});

const up = {
  manager: {
    status: 'up',
    repositories: { cloning: 0, cloned: 1, ready: 0, running: 2, stopped: 1, error: 0 },
    apps: { running: 2 },
    queue: { queued: 0, maxQueued: 100, running: 1, maxRunning: 3, draining: false },
  },
  workers: { status: 'up', busy: 1, idle: 2, sessions: 2, limits: { workers: 3, memoryMb: 256 } },
  isolation: {
    status: 'up',
    driver: 'bubblewrap',
    network: { mode: 'private' },
    limits: {
      memoryMb: 4096,
      processes: 1024,
      diskMb: 10_240,
      cpuWeight: null,
      cpuReason: 'there is no cgroup v2',
      enforcedBy: 'watchdog',
    },
  },
  storage: { status: 'up' },
};
const healthy = { status: 'ok', info: up, error: {}, details: up };
const broken = { storage: { status: 'down', message: 'DATA_DIR cannot be written: EROFS' } };

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
