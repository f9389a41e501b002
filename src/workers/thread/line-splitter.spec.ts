import { MAX_LINE_CHARS } from '../../contracts/log.js';
import { LineSplitter } from './line-splitter.js';

describe('output cut into lines', () => {
  const split = (...chunks: (string | Buffer)[]) => {
    const splitter = new LineSplitter();
    return [...chunks.flatMap((chunk) => splitter.push(Buffer.from(chunk))), ...splitter.end()];
  };

  it('is the same however its chunks fall', () => {
    const bytes = Buffer.from('ä line\r\n\nlast, without a line end: 🚢');
    const expected = ['ä line', '', 'last, without a line end: 🚢'];
    expect(split(bytes)).toEqual(expected);
    expect(split(...[...bytes].map((byte) => Buffer.from([byte])))).toEqual(expected);
  });

  it('has no line more than there were', () => {
    expect(split('one\n')).toEqual(['one']);
    expect(split('')).toEqual([]);
  });

  it('keeps the beginning of a line that is too long, and says how much is missing', () => {
    const [line = '', ...more] = split('x'.repeat(MAX_LINE_CHARS - 1), 'x'.repeat(8), '\nnext\n');
    expect(line).toBe(`${'x'.repeat(MAX_LINE_CHARS)} [truncated: 7 more characters]`);
    expect(more).toEqual(['next']);
  });

  it('never cuts a character in two', () => {
    const [line = ''] = split(`${'x'.repeat(MAX_LINE_CHARS - 1)}🚢 and more\n`);
    expect(line).toBe(`${'x'.repeat(MAX_LINE_CHARS - 1)} [truncated: 11 more characters]`);
  });

  it('keeps colours, and the last state of a progress bar', () => {
    const states = ['\u001b[32m 9 %\u001b[0m\r', '\u001b[32m10 %\u001b[0m\r', 'done', '\r', '\n\r\nnext'];
    const expected = ['done', '', 'next'];
    expect(split(...states)).toEqual(expected);
    expect(split(states.join(''))).toEqual(expected);
    expect(split('\u001b[31mred\u001b[0m\n')).toEqual(['\u001b[31mred\u001b[0m']);
  });

  it('keeps a progress bar that never ends its line as short as it looks', () => {
    const splitter = new LineSplitter();
    for (let percent = 0; percent < 100_000; percent += 1) splitter.push(Buffer.from(`\r${percent} of many`));
    expect(splitter.end()).toEqual(['99999 of many']);
    expect(split('x'.repeat(2 * MAX_LINE_CHARS), '\rshort')).toEqual(['short']);
  });

  it('takes bytes that are no text', () => {
    const [line = ''] = split(Buffer.from([0x00, 0xff, 0xfe, 0x1b, 0x0a]));
    expect(line).toBe('\0\ufffd\ufffd\x1b');
  });
});
