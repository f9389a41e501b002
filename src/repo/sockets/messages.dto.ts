import { LOG_CURSOR, MAX_LOG_CURSOR } from '../logs/log-cursor.js';
import { ChoiceField, FlagField, IntegerField, MapField, TextField } from '../../common/fields.js';
import { OPERATION_NAMES, type OperationName } from '../../contracts/operation-names.js';

/** What a socket can ask for: the seven operations, and reads that leave no record. */
const SOCKET_OPERATIONS = [...OPERATION_NAMES, 'list', 'operation', 'cancel'] as const;
export type SocketOperation = OperationName | 'list' | 'operation' | 'cancel';

const REPO_ID = { maxLength: 10_000, description: 'repoId or uid, in any letter case.' };
const API_KEY = {
  maxLength: 10_000,
  secret: true,
  description: 'For this message only. Default: the key of the socket.',
};
const REQUEST_ID = { maxLength: 200, description: 'Given back in the answer.' };

export class OperationMessageDto {
  @ChoiceField({ required: true, values: SOCKET_OPERATIONS, description: 'What to do.' })
  operation!: SocketOperation;

  @TextField({ maxLength: 4096, description: 'For clone.' })
  repoUrl?: string;

  @TextField(REPO_ID)
  repoId?: string;

  @MapField({ description: 'Everything else, as in the body of the REST route.' })
  options?: Record<string, unknown>;

  @TextField(API_KEY)
  apiKey?: string;

  @TextField(REQUEST_ID)
  requestId?: string;
}

/** The options of `operation` and `cancel`. */
export class OperationIdDto {
  @TextField({ required: true, maxLength: 100, description: 'Which operation.' })
  operationId!: string;
}

export class UnsubscribeMessageDto {
  @TextField({ ...REPO_ID, required: true })
  repoId!: string;

  @TextField(API_KEY)
  apiKey?: string;

  @TextField(REQUEST_ID)
  requestId?: string;
}

export class SubscribeMessageDto extends UnsubscribeMessageDto {
  @FlagField({ default: true, description: 'Whether to send repo-log.' })
  logs?: boolean;

  @TextField({
    maxLength: MAX_LOG_CURSOR,
    pattern: LOG_CURSOR,
    description: 'Send the lines of the app after this one first. Default: only new lines.',
  })
  logCursor?: string;

  @IntegerField({
    minimum: 0,
    maximum: Number.MAX_SAFE_INTEGER,
    description: 'Send the events after this one again, as far as they are kept.',
  })
  sinceSeq?: number;
}
