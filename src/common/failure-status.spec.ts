import { FAILURE_CODES, type FailureCode } from '../contracts/failure-codes.js';
import { RETRY_AFTER_SECONDS } from './failure-status.js';

describe('Retry-After', () => {
  it('is said only of failures that may pass by themselves', () => {
    const codes = Object.keys(RETRY_AFTER_SECONDS) as FailureCode[];
    expect(codes.filter((code) => !FAILURE_CODES[code].retryable)).toEqual([]);
  });
});
