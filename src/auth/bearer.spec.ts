import { Failure } from '../contracts/failure.js';
import { bearerOf } from './bearer.js';

describe('The key in the Authorization header', () => {
  it.each([
    ['Bearer dock_1', 'dock_1'],
    ['bearer dock_1', 'dock_1'],
    ['BEARER   dock_1  ', 'dock_1'],
  ])('is read from %j', (value, key) => {
    expect(bearerOf(['Host', 'x', 'authorization', value])).toBe(key);
  });

  it('is missing without the header', () => {
    expect(bearerOf(['Host', 'Bearer dock_1'])).toBeUndefined();
  });

  it.each(['', 'Bearer', 'Bearer ', 'dock_1', 'Basic dock_1', 'Bearer a b', 'Bearerdock_1'])(
    'is refused in %j',
    (value) => {
      expect(() => bearerOf(['Authorization', value])).toThrow(Failure);
    },
  );

  it('is nobody’s when there are two headers', () => {
    expect(() => bearerOf(['Authorization', 'Bearer a', 'authorization', 'Bearer a'])).toThrow(Failure);
  });
});
