import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { LineQueue } from './line-queue.js';

const MIB = 1024 * 1024;

describe('the lines of a pipe', () => {
  let child: ChildProcess;
  const say = (script: string): LineQueue => {
    child = spawn('/bin/sh', ['-c', script], { stdio: ['pipe', 'pipe', 'inherit'] });
    return new LineQueue(child.stdout as Readable);
  };
  afterEach(() => child.kill('SIGKILL'));

  it('come one at a time, also those that came while nobody waited, up to the end', async () => {
    const queue = say('echo one; echo two; read go; printf "thr"; sleep 0.05; echo ee; printf four');
    expect(await queue.next()).toBe('one');
    child.stdin?.write('\n');
    await once(child, 'exit');
    expect([await queue.next(), await queue.next(), await queue.next()]).toEqual(['two', 'three', undefined]);
    expect(await queue.next()).toBeUndefined();
  });

  it.each([
    ['without a line', 'yes 2>&1 | tr -d "\\n" 2>&1'],
    ['of lines', 'yes'],
  ])('are not piled up when a stranger sends a flood %s', async (kind, flood) => {
    const before = process.memoryUsage().rss;
    const queue = say(`echo up; ${flood}`);
    expect(await queue.next()).toBe('up');
    expect(await queue.next()).toBe(kind === 'of lines' ? 'y' : undefined);
    await delay(500);
    expect(process.memoryUsage().rss - before).toBeLessThan(32 * MIB);
    queue.close();
  });
});
