import { refuseExcess } from './bounds.js';

function nested(levels: number): unknown {
  let value: unknown = 'x';
  for (let level = 0; level < levels; level += 1) value = level % 2 ? [value] : { a: value };
  return value;
}

describe('The bounds of what a caller sends', () => {
  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['null', null],
    ['text', 'x'.repeat(900)],
    ['32 levels', nested(32)],
    ['many fields', Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`k${index}`, [index, null]]))],
  ])('let %s through', (_, body) => {
    expect(() => refuseExcess(body, 1000)).not.toThrow();
  });

  it.each<[string, unknown]>([
    ['one level more', nested(33)],
    ['as many as JSON.parse takes', JSON.parse('['.repeat(400_000) + ']'.repeat(400_000))],
  ])('refuse %s', (_, body) => {
    expect(() => refuseExcess(body)).toThrow('at most 32 levels of nesting');
  });

  it.each<[string, unknown]>([
    ['text', { a: ['x'.repeat(1001)] }],
    ['names', Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`field${index}`, 0]))],
    ['values', Array.from({ length: 501 }, () => 0)],
    ['bytes', { a: Buffer.alloc(1001) }],
  ])('refuse more characters than there may be, of %s', (_, body) => {
    expect(() => refuseExcess(body, 1000)).toThrow('more than 1000 characters');
  });
});
