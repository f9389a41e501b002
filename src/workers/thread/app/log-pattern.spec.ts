import { LogPattern } from './log-pattern.js';

describe('what a line of output must hold for an app to be ready', () => {
  const holds = (pattern: string, line: string) => {
    const log = new LogPattern(pattern);
    log.see(line);
    return log.found;
  };

  it.each([
    ['listening', 'Server listening on 3000', true],
    ['listening', 'Server is Listening', false],
    ['ready in', '\x1b[32mready\x1b[0m in 300 ms', true],
    ['a.c', 'abc', false],
    ['/a.c/', 'abc', true],
    ['/^server\\s+up$/i', 'Server  UP', true],
    ['/api', 'GET /api', true],
  ])('%s in "%s": %s', (pattern, line, expected) => {
    expect(holds(pattern, line)).toBe(expected);
  });

  it('is remembered', () => {
    const log = new LogPattern('up');
    log.see('up');
    log.see('something else');
    expect(log.found).toBe(true);
  });

  it('must be an expression where it is written as one', () => {
    expect(() => new LogPattern('/(/')).toThrow('ready.log: expected text or a regular expression');
  });

  it('cannot hold up the reading of output by an expression that backtracks without end', () => {
    const startedAt = Date.now();
    expect(holds('/^(a+)+$/', `${'a'.repeat(60)}!`)).toBe(false);
    expect(Date.now() - startedAt).toBeLessThan(2_000);
  });
});
