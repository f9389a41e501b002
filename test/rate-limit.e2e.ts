import { eventually } from './support/eventually.js';
import { ask, connect } from './support/station-socket.js';
import { useStation } from './support/use-station.js';

const LIMIT = 20;

describe('A station with a rate limit', () => {
  const kit = useStation({ env: { SANDBOX: 'none', RATE_LIMIT: String(LIMIT), TRUST_PROXY: '1' } });
  const from = (address: string) => ({ headers: { 'x-forwarded-for': `1.2.3.4, ${address}` } });
  const list = (key: string | null, address = '203.0.113.1') =>
    kit.station.api('GET', '/repo/list', undefined, { key, ...from(address) });

  async function useUp(key: string | null, address?: string): Promise<number[]> {
    const answers = await Promise.all(Array.from({ length: LIMIT + 3 }, () => list(key, address)));
    return answers.map(({ status }) => status).toSorted((one, other) => one - other);
  }

  it('answers one key so often, over REST and sockets together, and every other one all the same', async () => {
    const [first, second] = [await kit.station.createKey('alice'), await kit.station.createKey('bob')];
    const socket = await kit.station.socket({ apiKey: first });
    expect((await useUp(first)).filter((status) => status === 200)).toHaveLength(LIMIT);
    const { status, body, headers } = await list(first);
    expect([status, body]).toMatchObject([
      429,
      {
        code: 'RATE_LIMITED',
        retryable: true,
        context: { limit: LIMIT, retryAfterSeconds: expect.any(Number) as number },
      },
    ]);
    expect(Number(headers.get('retry-after'))).toBe(body.context.retryAfterSeconds);
    expect((await ask(socket, { operation: 'list' })).error).toMatchObject({ code: 'RATE_LIMITED' });
    (await connect(kit.station.url, first)).close(); // through a connection one can still stop things
    expect((await list(second)).status).toBe(200);
  });

  it('lets nobody try keys for long, wherever the proxy has seen them', async () => {
    const statuses = await useUp('dock_guessed', '203.0.113.7');
    expect([statuses.filter((one) => one === 401).length, statuses.filter((one) => one === 429).length]).toEqual([
      LIMIT,
      3,
    ]);
    expect((await list(null, '203.0.113.7')).status).toBe(429);
    expect((await list('dock_guessed', '203.0.113.8')).status).toBe(401);
    const key = await kit.station.createKey('carol');
    expect((await list(key, '203.0.113.7')).status).toBe(200);
  });

  it('counts keys that are shown where none is needed', async () => {
    const health = (key: string | null, address: string) =>
      kit.station.api('GET', '/health', undefined, { key, ...from(address) });
    const answers = await Promise.all(Array.from({ length: LIMIT + 3 }, () => health('dock_guessed', '203.0.113.20')));
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(3);
    expect((await health(null, '203.0.113.20')).status).toBe(200);
    const key = await kit.station.createKey('dave');
    await useUp(key, '203.0.113.21');
    expect((await health(key, '203.0.113.21')).body.code).toBe('RATE_LIMITED');
  });

  it('counts sockets without a key, and what these send', async () => {
    const socket = await connect(kit.station.url, null);
    const codes = (await Promise.all(Array.from({ length: LIMIT }, () => ask(socket, { operation: 'list' })))).map(
      ({ error }) => error.code,
    );
    socket.close();
    expect([codes.filter((code) => code === 'UNAUTHORIZED').length, codes.at(-1)]).toEqual([LIMIT - 1, 'RATE_LIMITED']);
    await expect(connect(kit.station.url, null)).rejects.toMatchObject({ data: { code: 'RATE_LIMITED' } });
    (await connect(kit.station.url, await kit.station.createKey('erin'))).close();
  });

  it('answers probes and shows its documentation however often', async () => {
    for (const path of ['/health', '/health/live', '/health/ready', '/docs-json']) {
      const answers = await Promise.all(
        Array.from({ length: LIMIT + 3 }, () => fetch(kit.station.url + path, from('203.0.113.9'))),
      );
      expect([path, new Set(answers.map(({ status }) => status))]).toEqual([path, new Set([200])]);
    }
    await eventually('repositories are not read for each of them', async () => {
      const { body } = await kit.station.api('GET', '/health', undefined, { key: null });
      const { details } = body as unknown as { details: Record<string, { cachedResponse?: boolean }> };
      return details.manager?.cachedResponse;
    });
  });
});
