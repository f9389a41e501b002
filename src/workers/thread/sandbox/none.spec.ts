import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { TREE_MARKER } from '../../../contracts/process-tree.js';
import { killTree } from '../../../machine/end-tree.js';
import { identify } from '../../../machine/live-processes.js';
import { NoSandbox } from './none.js';
import type { Command } from './sandbox.js';

describe('a command without a sandbox', () => {
  const sandbox = new NoSandbox('test:marker');
  const shell = (script: string, more: Partial<Command> = {}): Command => ({
    purpose: 'app',
    file: '/bin/sh',
    args: ['-c', script],
    cwd: '/',
    stdin: 'open',
    env: { PATH: process.env.PATH ?? '' },
    ...more,
  });

  it('gets the environment that it is given, the marker, and nothing of the server', async () => {
    const { stdout } = await sandbox.spawn({ ...shell(''), file: '/usr/bin/env', args: [], env: { A: 'b c' } });
    expect((await text(stdout)).trim().split('\n').toSorted()).toEqual(['A=b c', `${TREE_MARKER}=test:marker`]);
  });

  it.each([
    ['exit 3', { exitCode: 3, signal: null }],
    ['kill -SEGV $$', { exitCode: null, signal: 'SIGSEGV' }],
  ])('tells how it has ended: %s', async (script, end) => {
    const child = await sandbox.spawn(shell(script));
    expect(await child.exited).toEqual(end);
  });

  it('has ended when its process has, though a daemon holds its output open', async () => {
    const child = await sandbox.spawn(shell('sleep 1000 & echo $!'));
    const [pid] = (await once(child.stdout, 'data')) as [Buffer];
    expect(await child.exited).toEqual({ exitCode: 0, signal: null });
    await killTree(() => [identify(Number(pid))].filter((one) => one !== undefined));
  });

  it('is in a process group of its own', async () => {
    const child = await sandbox.spawn(shell('read line'));
    expect(identify(child.identity.pid)).toMatchObject({ ...child.identity, pgid: child.identity.pid });
    process.kill(-child.identity.pid, 'SIGKILL');
    await child.exited;
  });

  it('waits for input that never comes, or is at its end at once', async () => {
    const waiting = await sandbox.spawn(shell('read line; echo over'));
    const empty = await sandbox.spawn(shell('cat; echo over', { stdin: 'empty' }));
    expect(await text(empty.stdout)).toBe('over\n');
    expect(identify(waiting.identity.pid)).toBeDefined();
    process.kill(waiting.identity.pid, 'SIGKILL');
    await waiting.exited;
  });

  it('that is too long for the system is refused as such', async () => {
    const env = Object.fromEntries(Array.from({ length: 60 }, (_, index) => [`V${index}`, 'x'.repeat(100_000)]));
    await expect(sandbox.spawn(shell('', { env }))).rejects.toMatchObject({ code: 'BAD_REQUEST' });
  });

  it('that does not exist fails with the name of the program, and not with where it should be', async () => {
    const missing = sandbox.spawn({ ...shell(''), file: '/nowhere/program' });
    await expect(missing).rejects.toThrow(/^(?!.*nowhere).*program/);
  });
});
