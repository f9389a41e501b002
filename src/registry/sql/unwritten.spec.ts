import { Logger } from '@nestjs/common';
import { Unwritten } from './unwritten.js';

const full = () => Promise.reject(Object.assign(new Error('no space left on device'), { code: 'ENOSPC' }));

describe('What a full disk does not take', () => {
  beforeAll(() => Logger.overrideLogger(false));
  afterAll(() => Logger.overrideLogger(['warn']));

  it('is read from memory until it is written', async () => {
    const retried = new Promise<string>((resolve) => {
      const unwritten = new Unwritten<string>(async (record) => {
        await unwritten.orHold('a', record, () => Promise.resolve());
        resolve(`${record}, ${unwritten.get('a') ?? 'written'}`);
      });
      void unwritten.orHold('a', 'stopped', full).then(() => expect(unwritten.get('a')).toBe('stopped'));
    });
    expect(await retried).toBe('stopped, written');
  });

  it('is forgotten with what it was about', async () => {
    const unwritten = new Unwritten<string>(() => Promise.resolve());
    await unwritten.orHold('a', 'stopped', full);
    unwritten.forget('a');
    expect(unwritten.get('a')).toBeUndefined();
  });

  it('is not what fails for another reason', async () => {
    const unwritten = new Unwritten<string>(() => Promise.resolve());
    const damaged = () => Promise.reject(new Error('malformed'));
    await expect(unwritten.orHold('a', 'stopped', damaged)).rejects.toThrow('malformed');
    expect(unwritten.get('a')).toBeUndefined();
  });
});
