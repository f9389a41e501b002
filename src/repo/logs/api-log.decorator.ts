import { applyDecorators } from '@nestjs/common';
import { ApiExtraModels, ApiHeader, ApiResponse } from '@nestjs/swagger';
import { LogPageDto } from '../../common/openapi/operation.dto.js';
import { envelope } from '../../common/openapi/responses.js';
import { LOG_CURSOR } from './log-cursor.js';

const EVENTS = `: follow with Last-Event-ID

event: log
id: op_e4af878c9b621e3816b3.42
data: {"seq":42,"time":1767225600000,"stream":"stdout","text":"listening on 20000"}

event: dropped
data: {"dropped":17}

`;

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
        pattern: LOG_CURSOR.regex.source,
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
