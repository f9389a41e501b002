import { refuseExcess } from '../../common/bounds.js';
import { isPlainObject } from '../../common/fields.js';
import { Failure } from '../../contracts/failure.js';

/** Keys and operations are shorter. */
const MAX_NAME_CHARS = 1000;

/** A message as it waits for its turn. */
export interface BoundedMessage {
  body: unknown;
  chars: number;
  /** Why it will be refused. Then no more of it is kept than who has sent it, and what for. */
  excess?: Failure;
}

export function bounded(body: unknown, maxChars: number): BoundedMessage {
  try {
    return { body, chars: refuseExcess(body, maxChars) };
  } catch (error) {
    const { apiKey, operation } = isPlainObject(body) ? body : {};
    return { body: { apiKey: nameOf(apiKey), operation: nameOf(operation) }, chars: 0, excess: Failure.of(error) };
  }
}

/** A text that is too long to be one stays a wrong one. */
const nameOf = (value: unknown): string | undefined =>
  typeof value === 'string' ? (value.length <= MAX_NAME_CHARS ? value : '') : undefined;
