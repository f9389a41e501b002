import { ChoiceField, IntegerField, TextField } from '../../common/fields.js';
import { LOG_SOURCES, type LogSource } from '../../contracts/events.js';

const CURSOR = { regex: /^\d{1,15}$/, says: 'the nextCursor of an earlier page' };

export class OperationLogQuery {
  @IntegerField({ query: true, minimum: 0, maximum: 10_000, default: 100, description: 'How many of the last lines.' })
  tail?: number;

  @TextField({
    maxLength: 15,
    pattern: CURSOR,
    description: 'Go on after this line, instead of `tail`.',
    example: '42',
  })
  cursor?: string;
}

export class RepositoryLogQuery extends OperationLogQuery {
  @ChoiceField({ values: LOG_SOURCES, default: 'app', description: 'The latest run or operation of this kind.' })
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
