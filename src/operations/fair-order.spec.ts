import { fairOrder } from './fair-order.js';

const waiting = (...ids: string[]) => ids.map((id) => ({ id, owner: id.charAt(0) }));
const ids = (items: { id: string }[]) => items.map(({ id }) => id).join(' ');

describe('The fair order', () => {
  it('is that of arrival for one owner', () => {
    expect(ids(fairOrder(waiting('a1', 'a2', 'a3'), { running: new Map(), served: new Map() }))).toBe('a1 a2 a3');
  });

  it('takes owners in turn, those first that have the least running', () => {
    const items = waiting('a1', 'a2', 'a3', 'b1', 'c1', 'b2');
    expect(ids(fairOrder(items, { running: new Map([['a', 1]]), served: new Map() }))).toBe('b1 c1 a1 b2 a2 a3');
  });

  it('takes first who was served longest ago, among those who have as much running', () => {
    const served = new Map(Object.entries({ a: 3, b: 2, c: 1 }));
    expect(ids(fairOrder(waiting('a1', 'b1', 'c1', 'a2'), { running: new Map(), served }))).toBe('c1 b1 a1 a2');
  });
});
