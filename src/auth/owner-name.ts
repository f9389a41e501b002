import { Failure } from '../contracts/failure.js';
import { STATION_OWNER } from './principal.js';

export const OWNER_NAME = {
  regex: /^[A-Za-z0-9][A-Za-z0-9._:@-]{0,63}$/,
  says: 'letters, digits and . _ : @ - (64 at most, the first a letter or digit)',
};

/** The name of somebody who may own something; BAD_REQUEST where it cannot be one. */
export function ownerName(text: string): string {
  if (text !== STATION_OWNER && OWNER_NAME.regex.test(text)) return text;
  throw new Failure('BAD_REQUEST', `owner: expected ${OWNER_NAME.says}, and not "${STATION_OWNER}"`);
}
