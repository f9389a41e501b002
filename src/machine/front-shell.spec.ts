import { TestThread } from '../../test/support/operation-thread.js';
import { plansOfThisMachine } from '../../test/support/sandbox-plans.js';
import { AppTree } from '../workers/thread/app/app-tree.js';
import type { OperationThread } from '../workers/thread/operation-thread.js';
import { terminateTree } from './end-tree.js';
import type { SandboxedProcess } from '../workers/thread/sandbox/sandbox.js';

const UP = `setInterval(() => undefined, 1_000); console.log('up');`;
const FILES = {
  'waits.js': UP,
  'slow.js': `process.on('SIGTERM', () => setTimeout(() => process.exit(5), 600)); ${UP}`,
  'stubborn.js': `process.on('SIGTERM', () => undefined); ${UP}`,
};

describe.each(plansOfThisMachine())('A shell in front of a script, with the sandbox %s,', (_, plan) => {
  let repository: TestThread;
  let thread: OperationThread;
  beforeEach(() => {
    repository = new TestThread(FILES, plan);
    thread = repository.next();
  });
  afterEach(async () => {
    await repository.dispose();
    await thread.sandbox.dispose();
  });

  /** Resolves when the script has said that it is up. */
  async function start(script: string): Promise<{ child: SandboxedProcess; tree: AppTree }> {
    const { workspace } = repository.paths;
    const env = { PATH: process.env.PATH ?? '' };
    const args = ['-c', script];
    const child = await thread.sandbox.spawn({
      purpose: 'app',
      file: '/bin/sh',
      args,
      cwd: workspace,
      env,
      stdin: 'open',
    });
    const tree = new AppTree(thread.context.marker, () => undefined);
    tree.grow(child);
    void thread.log.follow(child.stderr, 'stderr');
    await new Promise((up) => void thread.log.follow(child.stdout, 'stdout', up));
    return { child, tree };
  }

  it.each([
    ['ends in its own time', 'node slow.js', { exitCode: 5, signal: null }],
    ['ends in its own time, in place of the shell', 'exec node slow.js', { exitCode: 5, signal: null }],
    ['ends in its own time, with more to come', 'node slow.js || exit 6', { exitCode: 6, signal: null }],
    ['has nothing to say about the signal', 'node waits.js', { exitCode: null, signal: 'SIGTERM' }],
    ['has another command to go on to', 'node waits.js; node waits.js', { exitCode: null, signal: 'SIGTERM' }],
    ['waits for something else', 'node waits.js & read line', { exitCode: null, signal: 'SIGTERM' }],
    ['has a trap', `trap 'exit 4' TERM; node waits.js & wait`, { exitCode: 4, signal: null }],
  ])('tells how one has ended that %s', async (__, script, end) => {
    const { child, tree } = await start(script);
    expect(await terminateTree(tree.search, 10_000)).toEqual({ forced: false, survivors: [] });
    expect(await child.exited).toEqual(end);
  });

  it('tells that force was needed', async () => {
    const { child, tree } = await start('node stubborn.js');
    expect(await terminateTree(tree.search, 300)).toEqual({ forced: true, survivors: [] });
    expect(await child.exited).toEqual({ exitCode: null, signal: 'SIGKILL' });
  });
});
