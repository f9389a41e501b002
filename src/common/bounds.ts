import { Failure } from '../contracts/failure.js';
import { isPlainObject } from './fields.js';

/** Nothing that can be asked for has more than a few levels; what code walks through by recursion must have an end. */
const MAX_DEPTH = 32;
/** What a value adds to its JSON, at least: `0,` */
const VALUE_CHARS = 2;

/**
 * How many characters what a caller sent has; fails where these, or its levels, are more than it may have. Goes level by
 * level, so nesting costs no stack.
 */
export function refuseExcess(body: unknown, maxChars = Infinity): number {
  let chars = 0;
  let level: unknown[] = [body];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > MAX_DEPTH)
      throw new Failure('BAD_REQUEST', `expected at most ${MAX_DEPTH} levels of nesting, got more`);
    const below: unknown[] = [];
    for (const value of level) {
      chars += VALUE_CHARS + (typeof value === 'string' || ArrayBuffer.isView(value) ? lengthOf(value) : 0);
      if (!isPlainObject(value) && !Array.isArray(value)) continue;
      for (const [key, one] of Object.entries(value)) {
        if (!Array.isArray(value)) chars += key.length;
        below.push(one);
      }
    }
    if (chars > maxChars) throw new Failure('TOO_LARGE', `The message has more than ${maxChars} characters.`);
    level = below;
  }
  return chars;
}

const lengthOf = (value: string | ArrayBufferView): number =>
  typeof value === 'string' ? value.length : value.byteLength;
