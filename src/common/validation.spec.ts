import { Failure } from '../contracts/failure.js';
import { FlagField, IntegerField, ObjectField, TextField } from './fields.js';
import { validate } from './validation.js';

class InnerDto {
  @TextField({ required: true, maxLength: 5, description: 'inner' })
  name!: string;
}

class SampleDto {
  @TextField({ required: true, maxLength: 10, description: 'text' })
  text!: string;

  @TextField({ maxLength: 10, secret: true, description: 'secret' })
  secret?: string;

  @IntegerField({ minimum: 1, maximum: 9, description: 'number' })
  number?: number;

  @IntegerField({ query: true, minimum: 1, maximum: 9, description: 'number in a query' })
  tail?: number;

  @FlagField({ description: 'flag' })
  flag?: boolean;

  @ObjectField({ type: () => InnerDto, description: 'inner' })
  inner?: InnerDto;
}

function refusal(input: unknown): string {
  try {
    validate(SampleDto, input);
  } catch (error) {
    if (error instanceof Failure && error.code === 'BAD_REQUEST') return error.message;
    throw error;
  }
  throw new Error('it was accepted');
}

describe('Validation', () => {
  it('makes an instance, nested ones too', () => {
    const dto = validate(SampleDto, { text: 'a', inner: { name: 'b' }, tail: '7' });
    expect(dto).toEqual({ text: 'a', inner: { name: 'b' }, tail: 7 });
    expect(dto.inner).toBeInstanceOf(InnerDto);
  });

  it.each<[unknown, string]>([
    [{ text: 5 }, 'text: expected text of 1 to 10 characters, got 5'],
    [{}, 'text: expected text of 1 to 10 characters, got nothing'],
    [undefined, 'text: expected text'],
    [{ text: null }, 'got null'],
    [{ text: 'a', number: null }, 'number: expected an integer from 1 to 9, got null'],
    [{ text: 'a', number: '5' }, 'number: expected an integer from 1 to 9, got "5"'],
    [{ text: 'a', number: 1.5 }, 'got 1.5'],
    [{ text: 'a', tail: 'abc' }, 'tail: expected an integer from 1 to 9, got "abc"'],
    [{ text: 'a', tail: '-1' }, 'got -1'],
    [{ text: 'a', tail: ['1', '2'] }, 'got a list'],
    [{ text: 'a', flag: 'true' }, 'flag: expected true or false, got "true"'],
    [{ text: 'a', inner: { name: 1 } }, 'inner.name: expected text of 1 to 5 characters, got 1'],
    [{ text: 'a', inner: [] }, 'inner: expected an object, got a list'],
    [{ text: 'a', inner: { name: 'b', more: 1 } }, 'inner.more: unknown field, expected one of name'],
    [{ text: 'a', more: 1 }, 'more: unknown field, expected one of text, secret, number'],
    [{ text: 'a', constructor: 1 }, 'constructor: unknown field'],
    [JSON.parse('{"text":"a","__proto__":{"flag":true}}'), '__proto__: unknown field'],
    [{ text: { toString: null } }, 'text: expected text of 1 to 10 characters, got an object'],
    [[], 'body: expected an object, got a list'],
    ['text', 'body: expected an object, got a string of 4 characters'],
    [null, 'body: expected an object, got null'],
  ])('refuses %j and says why', (input, reason) => {
    expect(refusal(input)).toContain(reason);
  });

  it('never repeats a secret', () => {
    expect(refusal({ text: 'a', secret: 'S3CR3T-S3CR3T' })).toContain('got a string of 13 characters');
  });

  it('names every field at fault', () => {
    expect(refusal({ number: 0, flag: 1 })).toMatch(/text: .*number: .*flag: /);
  });

  it('names no more than twenty, and says how many there are', () => {
    const input = Object.fromEntries(Array.from({ length: 90_000 }, (_, index) => [`k${index}`, 0]));
    const reason = refusal({ text: 'a', ...input });
    expect(reason.length).toBeLessThan(4_000);
    expect(reason).toContain('k19: unknown field');
    expect(reason).toMatch(/; and 89980 more$/);
  });

  it('is not brought down by deep nesting', () => {
    let deep: unknown = 'x';
    for (let level = 0; level < 100_000; level += 1) deep = [deep];
    expect(refusal({ text: deep })).toContain('got a list');
  });
});
