import { bounded } from './bounded-message.js';

const LARGE = 'x'.repeat(2000);

describe('A message that waits for its turn', () => {
  it('is kept as it is, with how much it holds', () => {
    const body = { operation: 'list', requestId: LARGE };
    expect(bounded(body, 10_000)).toEqual({ body, chars: expect.any(Number) as number });
    expect(bounded(body, 10_000).chars).toBeGreaterThan(2000);
    expect(bounded(undefined, 10_000).body).toBeUndefined();
  });

  it.each([
    ['large', { requestId: LARGE }],
    ['deep', { options: JSON.parse('['.repeat(100) + ']'.repeat(100)) as unknown }],
  ])('leaves nothing but its key and its operation where it is too %s', (_, fields) => {
    const { body, excess } = bounded({ apiKey: 'dock_key', operation: 'list', ...fields }, 1000);
    expect(body).toEqual({ apiKey: 'dock_key', operation: 'list' });
    expect(excess?.code).toMatch(/TOO_LARGE|BAD_REQUEST/);
  });

  it('leaves a wrong key of one that is too long, and none of what is no text', () => {
    expect(bounded({ apiKey: LARGE, operation: [LARGE] }, 1000).body).toEqual({ apiKey: '', operation: undefined });
    expect(bounded([LARGE], 1000).body).toEqual({});
  });
});
