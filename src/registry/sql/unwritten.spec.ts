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

  it('is tried once a second, however often it has changed meanwhile', async () => {
    let tries = 0;
    const twice = new Promise<void>((resolve) => {
      const unwritten = new Unwritten<string>(async (record) => {
        tries += 1;
        await unwritten.orHold('a', record, tries < 2 ? full : () => Promise.resolve());
        if (tries === 2) resolve();
      });
      for (const state of ['starting', 'running', 'stopped']) void unwritten.orHold('a', state, full);
    });
    const begun = performance.now();
    await twice;
    expect(performance.now() - begun).toBeGreaterThan(1_900);
    expect(tries).toBe(2);
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
