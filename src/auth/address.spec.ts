import type { IncomingMessage } from 'node:http';
import { addressOf } from './address.js';

const request = (remoteAddress: string | undefined, forwarded?: string) =>
  ({ socket: { remoteAddress }, headers: { 'x-forwarded-for': forwarded } }) as unknown as IncomingMessage;

describe('the address of a caller', () => {
  it.each([
    ['203.0.113.7', undefined, 0, '203.0.113.7'],
    ['::ffff:203.0.113.7', undefined, 0, '203.0.113.7'],
    ['10.0.0.1', '203.0.113.7', 0, '10.0.0.1'],
    ['10.0.0.1', '203.0.113.7', 1, '203.0.113.7'],
    ['10.0.0.1', 'made up, 203.0.113.7', 1, '203.0.113.7'],
    ['10.0.0.1', 'made up, 203.0.113.7, 10.0.0.2', 2, '203.0.113.7'],
    ['10.0.0.1', undefined, 2, '10.0.0.1'],
    [undefined, undefined, 0, null],
  ])('is what the outermost of the trusted proxies has seen: %s, %s, %i', (remote, forwarded, proxies, expected) => {
    expect(addressOf(request(remote, forwarded), proxies)).toBe(expected);
  });
});
