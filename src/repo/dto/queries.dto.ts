import { ChoiceField, IntegerField, TextField } from '../../common/fields.js';
import { LOG_CURSOR, MAX_LOG_CURSOR } from '../logs/log-cursor.js';
import { LOG_SOURCES, type LogSource } from '../../contracts/events.js';

export class OperationLogQuery {
  @IntegerField({ query: true, minimum: 0, maximum: 10_000, default: 100, description: 'How many of the last lines.' })
  tail?: number;

  @TextField({
    maxLength: MAX_LOG_CURSOR,
    pattern: LOG_CURSOR,
    description: '`nextCursor` of an earlier page, or the `seq` of a line: go on after it, instead of `tail`.',
    example: 'op_e4af878c9b621e3816b3.42',
  })
  cursor?: string;
}

export class RepositoryLogQuery extends OperationLogQuery {
  @ChoiceField({
    values: LOG_SOURCES,
    enumName: 'LogSource',
    default: 'app',
    description: 'The latest run or operation of this kind.',
  })
  source?: LogSource;

  @TextField({ maxLength: 100, description: 'This operation or run instead of the latest.' })
  operationId?: string;
}

export class HistoryQueryDto {
  @IntegerField({ query: true, minimum: 1, maximum: 200, default: 50, description: 'Operations per page.' })
  limit?: number;

  @TextField({ maxLength: 200, description: '`nextCursor` of the page before.' })
  cursor?: string;
}
