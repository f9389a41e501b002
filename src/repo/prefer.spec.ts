import { MAX_WAIT_SECONDS, parsePrefer } from './prefer.js';

describe('The Prefer header', () => {
  it.each<[string | undefined, number, string | undefined]>([
    [undefined, MAX_WAIT_SECONDS, undefined],
    ['', MAX_WAIT_SECONDS, undefined],
    ['respond-async', 0, 'respond-async'],
    ['Respond-Async', 0, 'respond-async'],
    ['wait=10', 10, 'wait=10'],
    ['wait = 10', 10, 'wait=10'],
    ['wait="10"', 10, 'wait=10'],
    ['wait=0', 0, 'wait=0'],
    ['respond-async, wait=10', 10, 'respond-async, wait=10'],
    ['wait=10, wait=20', 10, 'wait=10'],
    ['return=minimal; foo="some parameter", respond-async', 0, 'respond-async'],
    ['wait=soon', MAX_WAIT_SECONDS, undefined],
    ['wait=-1', MAX_WAIT_SECONDS, undefined],
    ['wait=100000', MAX_WAIT_SECONDS, 'wait=100000'],
    ['respond-async=x', 0, 'respond-async'],
  ])('%j waits %d s', (header, waitSeconds, applied) => {
    expect(parsePrefer(header)).toEqual({ waitSeconds, applied });
  });
});
