import { jest } from '@jest/globals';
import { OwnerRetries } from './owner-retries.js';

const FIRST_MS = 20;
const MAX_MS = 400;

describe('What has failed for an owner', () => {
  let retries: OwnerRetries;
  beforeEach(() => (retries = new OwnerRetries(FIRST_MS, MAX_MS)));
  beforeAll(() => void jest.useFakeTimers());
  afterAll(() => void jest.useRealTimers());
  afterEach(() => retries.end());

  /** How long it takes to the next try, in milliseconds. */
  function fail(owner = 'alice'): number {
    const failedAt = Date.now();
    const waits: number[] = [];
    retries.later(owner, () => waits.push(Date.now() - failedAt));
    while (waits.length === 0) jest.advanceTimersToNextTimer();
    return Number(waits[0]);
  }

  it('is tried again after twice as long each time, up to a bound', () => {
    expect([1, 2, 3, 4, 5, 6].map(() => fail())).toEqual([20, 40, 80, 160, 320, 400]);
  });

  it.each(['done', 'startAnew'] as const)('is tried soon again where it had gone through before (%s)', (how) => {
    for (let times = 0; times < 4; times += 1) fail();
    retries[how]('alice');
    expect(fail()).toBe(FIRST_MS);
  });

  it('is not tried again once it has gone through, and what fails then does not wait for that', () => {
    for (let times = 0; times < 4; times += 1) fail();
    let tried = false;
    retries.later('alice', () => (tried = true));
    retries.done('alice');
    expect(fail()).toBe(FIRST_MS);
    expect(tried).toBe(false);
  });

  it('has one try that is waited for, and none of another owner’s', () => {
    let tries = 0;
    for (let times = 0; times < 3; times += 1) retries.later('alice', () => (tries += 1));
    fail('bob');
    fail('bob');
    expect(tries).toBe(1);
  });
});
