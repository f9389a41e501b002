import { OwnerRetries } from './owner-retries.js';

const FIRST_MS = 20;
/** Long enough never to be over in a test. */
const MAX_MS = 600_000;

describe('What has failed for an owner', () => {
  let retries: OwnerRetries;
  beforeEach(() => (retries = new OwnerRetries(FIRST_MS, MAX_MS)));
  afterEach(() => retries.end());

  /** Resolves with how long it took to the next try. */
  function fail(owner = 'alice'): Promise<number> {
    const failedAt = performance.now();
    return new Promise((resolve) => retries.later(owner, () => resolve(performance.now() - failedAt)));
  }

  it('is tried again after twice as long each time', async () => {
    expect(await fail()).toBeGreaterThanOrEqual(FIRST_MS - 1);
    expect(await fail()).toBeGreaterThanOrEqual(2 * FIRST_MS - 1);
    expect(await fail()).toBeGreaterThanOrEqual(4 * FIRST_MS - 1);
  });

  it.each(['done', 'startAnew'] as const)('is tried soon again where it had gone through before (%s)', async (how) => {
    for (let times = 0; times < 4; times += 1) await fail();
    retries[how]('alice');
    expect(await fail()).toBeLessThan(16 * FIRST_MS);
  });

  it('is not tried again once it has gone through, and what fails then does not wait for that', async () => {
    for (let times = 0; times < 4; times += 1) await fail();
    let tried = false;
    retries.later('alice', () => (tried = true));
    retries.done('alice');
    expect(await fail()).toBeLessThan(16 * FIRST_MS);
    expect(tried).toBe(false);
  });

  it('has one try that is waited for, and none of another owner’s', async () => {
    let tries = 0;
    for (let times = 0; times < 3; times += 1) retries.later('alice', () => (tries += 1));
    await fail('bob');
    await fail('bob');
    expect(tries).toBe(1);
  });
});
