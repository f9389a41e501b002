import { boundedPaths, boundedWarnings, withoutPaths } from './bounded.js';

it('leaves the paths of the machine out of a message, and nothing else', () => {
  const told = withoutPaths(`ENOENT: open '/srv/a b/x': https://example.org/a/b (file:///srv/main.js) and/or a/b`);
  expect(told).toBe(`ENOENT: open '… b/x': https://example.org/a/b (…) and/or a/b`);
});

it('tells the first warnings, and how many more there are', () => {
  const warnings = boundedWarnings(Array.from({ length: 70 }, (_, number) => `${number} ${'x'.repeat(10_000)}`));
  expect(warnings).toHaveLength(51);
  expect(warnings.at(-1)).toBe('… and 20 more warnings');
  expect(warnings.join('').length).toBeLessThan(30_000);
});

it('tells no more paths than are worth reading', () => {
  expect(boundedPaths(Array.from({ length: 3_000 }, String))).toHaveLength(1_000);
  expect(boundedPaths(Array.from({ length: 100 }, () => 'x'.repeat(4_000))).length).toBeLessThan(60);
});
