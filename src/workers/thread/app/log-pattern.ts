import { stripVTControlCharacters } from 'node:util';
import { createContext, Script, type Context } from 'node:vm';
import { Failure } from '../../../contracts/failure.js';

/** A sane expression takes microseconds for a line; one that backtracks without end would stop the reading of output. */
const PATIENCE_MS = 50;

/** Text that a line of output holds, or `/expression/flags`. */
export class LogPattern {
  private readonly context: Context | undefined;
  private readonly test = new Script('expression.test(line)');
  private matched = false;

  /** BAD_REQUEST when the expression is none. */
  constructor(private readonly pattern: string) {
    const [, source, flags] = /^\/(.+)\/([imsu]*)$/.exec(pattern) ?? [];
    if (source !== undefined) this.context = createContext({ expression: parse(source, flags), line: '' });
  }

  get found(): boolean {
    return this.matched;
  }

  see(text: string): void {
    if (this.matched) return;
    const line = stripVTControlCharacters(text);
    this.matched = this.context ? this.matchesExpression(line, this.context) : line.includes(this.pattern);
  }

  /** A vm can be interrupted, also in the middle of an expression. */
  private matchesExpression(line: string, context: Context): boolean {
    context.line = line;
    try {
      return this.test.runInContext(context, { timeout: PATIENCE_MS }) === true;
    } catch {
      return false; // it took too long: no match
    }
  }
}

function parse(source: string, flags: string | undefined): RegExp {
  try {
    return new RegExp(source, flags);
  } catch (error) {
    throw new Failure('BAD_REQUEST', `ready.log: expected text or a regular expression: ${(error as Error).message}`);
  }
}
