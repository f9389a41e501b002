import { TestThread } from '../../../test/support/operation-thread.js';
import { runCommand } from './run-command.js';
import type { Command } from './sandbox/sandbox.js';

describe('a command of an operation', () => {
  let repository: TestThread;
  beforeEach(() => {
    repository = new TestThread({});
  });
  afterEach(() => repository.dispose());

  const shell = (script: string): Command => ({
    purpose: 'install',
    file: '/bin/sh',
    args: ['-c', script],
    cwd: repository.paths.workspace,
    env: { PATH: process.env.PATH ?? '' },
    stdin: 'empty',
  });
  const texts = () => repository.log().map(({ text }) => text);

  it('returns its exit code and leaves its output in the log', async () => {
    const seen: string[] = [];
    const end = await runCommand(repository.next(), shell('echo out; echo err >&2; exit 3'), (line) => seen.push(line));
    expect(end).toEqual({ exitCode: 3, signal: null });
    expect(texts().toSorted()).toEqual(['err', 'out']);
    expect(seen.toSorted()).toEqual(['err', 'out']);
  });

  it('cannot be held up by a prompt, on stdin or on a terminal', async () => {
    await runCommand(repository.next(), shell('cat; read answer </dev/tty; echo over'));
    expect(texts()).toContain('over');
  });

  it('ends although what it left in the background holds its output open', async () => {
    await runCommand(repository.next(), shell('sleep 1000 & setsid sleep 1000 & echo started'));
    expect(texts()).toEqual(['started']);
    expect(repository.liveProcesses()).toBe(0);
  });

  it('dies with all its descendants when the operation is aborted, also with those that ignore SIGTERM', async () => {
    const command = shell(`trap '' TERM; (trap '' TERM; sleep 1000) & setsid sleep 1000 & echo ready; wait`);
    const reason = new Error('cancelled');
    const abort = (line: string) => line === 'ready' && repository.cancellation.abort(reason);
    await expect(runCommand(repository.next(), command, abort)).rejects.toBe(reason);
    expect(repository.liveProcesses()).toBe(0);
  });

  it('is not started once the operation is aborted', async () => {
    const thread = repository.next();
    repository.cancellation.abort(new Error('cancelled'));
    await expect(runCommand(thread, shell('echo started'))).rejects.toThrow('cancelled');
    expect(repository.log()).toEqual([]);
  });

  it('may write 50 MB, also without one line end, in little memory', async () => {
    const before = process.memoryUsage().rss;
    await runCommand(
      repository.next(),
      shell(`yes ${'x'.repeat(80)} | head -c 45000000; yes | tr -d '\\n' | head -c 5000000; echo; echo last`),
    );
    expect(texts().at(-1)).toBe('last');
    expect(texts().at(-2)).toMatch(/\[truncated: \d+ more characters\]$/);
    expect(process.memoryUsage().rss - before).toBeLessThan(100_000_000);
  });
});
