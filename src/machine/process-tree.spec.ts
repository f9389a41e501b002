import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { eventually } from '../../test/support/eventually.js';
import { plansOfThisMachine } from '../../test/support/sandbox-plans.js';
import { alive } from '../../test/support/processes.mjs';
import { TREE_MARKER, type ProcessTree } from '../contracts/process-tree.js';
import { killTree, terminateTree } from './end-tree.js';
import { childrenOf, identify } from './live-processes.js';
import { carriesMarker, findTree, findTreesByPrefix } from './process-tree.js';
import { NoSandbox } from '../workers/thread/sandbox/none.js';
import type { SandboxedProcess } from '../workers/thread/sandbox/sandbox.js';

const program = (name: string) => fileURLToPath(new URL(`../../test/fixtures/processes/${name}`, import.meta.url));
const NODE = process.execPath;

describe('the tree of processes that a command has started', () => {
  let tree: ProcessTree;
  const find = () => findTree(tree);

  beforeEach(() => {
    tree = { marker: `test:${randomUUID()}` };
  });
  afterEach(async () => {
    await killTree(find);
  });

  /** Resolves once `lines` processes have said that they are up. */
  async function start(command: string[], lines = 1): Promise<SandboxedProcess> {
    const [file = '', ...args] = command;
    const env = { PATH: process.env.PATH ?? '' };
    const child = await new NoSandbox(tree.marker).spawn({ purpose: 'app', file, args, cwd: '/', env, stdin: 'open' });
    tree.root = child.identity;
    child.stderr.resume();
    const reader = createInterface({ input: child.stdout });
    for (let heard = 0; heard < lines; heard += 1) await once(reader, 'line');
    return child;
  }

  const waits = [NODE, program('waits.js')];
  it.each([
    ['a single process', waits, 1],
    ['a shell and its child', ['sh', '-c', `${waits.join(' ')} & wait`], 2],
    [
      'a child in a session of its own, whose parent is gone',
      [NODE, program('detached-child.js'), program('waits.js')],
      1,
    ],
    ['a daemon that has forked twice', [program('double-forks.sh'), ...waits], 1],
  ])('is found and ended: %s', async (_, command, size) => {
    await start(command);
    const members = await eventually('the parent has ended', () => find().length === size && find());
    expect(await terminateTree({ inside: find, all: find }, 5_000)).toEqual({ forced: false, survivors: [] });
    expect(members.filter(({ pid }) => alive(pid))).toEqual([]);
  });

  it('includes a member that has cleared its environment, once somebody has seen whose child it was', async () => {
    await start(['sh', '-c', `setsid env --ignore-environment ${waits.join(' ')} & wait`]);
    const hidden = find().find((one) => !carriesMarker(one, tree.marker));
    expect(find()).toHaveLength(2);
    process.kill(tree.root?.pid ?? 0, 'SIGKILL');
    await eventually('its parent has ended', () => find().length === 0);
    tree.seen = hidden && [hidden];
    expect(find().map(({ pid }) => pid)).toEqual([hidden?.pid]);
    expect(await killTree(find)).toEqual({ forced: true, survivors: [] });
    expect(find()).toEqual([]);
  });

  it('does not include a stranger who has got the pid of a member', async () => {
    const stranger = identify(process.ppid);
    expect(stranger).toBeDefined();
    tree.seen = [{ pid: process.ppid, startTime: (stranger?.startTime ?? 0) - 1 }];
    expect(find()).toEqual([]);
  });

  it('is asked to end first, and each member once', async () => {
    await start([NODE, program('ends-slowly.js')]);
    const startedAt = Date.now();
    expect((await terminateTree({ inside: find, all: find }, 10_000)).forced).toBe(false);
    expect(Date.now() - startedAt).toBeGreaterThanOrEqual(450);
  });

  it('is ended by force when the time is over', async () => {
    await start([NODE, program('ignores-sigterm.js')]);
    const startedAt = Date.now();
    expect(await terminateTree({ inside: find, all: find }, 300)).toEqual({ forced: true, survivors: [] });
    expect(Date.now() - startedAt).toBeGreaterThanOrEqual(300);
    expect(find()).toEqual([]);
  });

  it('is ended by force when it has been suspended', async () => {
    await start(waits);
    process.kill(tree.root?.pid ?? 0, 'SIGSTOP');
    expect((await terminateTree({ inside: find, all: find }, 100)).forced).toBe(true);
    expect(find()).toEqual([]);
  });

  it('is caught although it is never the same process for long', async () => {
    const { stdout } = await start([program('forks-on.sh')], 0);
    const ended = once(stdout, 'end'); // nobody is left who could write
    expect((await killTree(find)).survivors).toEqual([]);
    expect(find()).toEqual([]);
    await ended;
  });

  it('may have ended already', async () => {
    expect(await terminateTree({ inside: find, all: find }, 5_000)).toEqual({ forced: false, survivors: [] });
  });

  it('is found with all others by the beginning of their markers', async () => {
    await start(waits);
    expect(findTreesByPrefix(tree.marker.slice(0, 20)).map(({ pid }) => pid)).toEqual([tree.root?.pid]);
  });

  it('does not include what says so of itself inside the sandbox of another, which all of it is found in', async () => {
    if (plansOfThisMachine().length === 1) return; // this machine has no sandbox
    const victim = `test:${randomUUID()}`;
    const claims = `${TREE_MARKER}=${victim} ${waits.join(' ')} & ${waits.join(' ')}`;
    await start(['bwrap', '--dev-bind', '/', '/', '--unshare-pid', 'sh', '-c', claims], 2);
    expect(findTree({ marker: victim })).toEqual([]);
    expect(find().length).toBeGreaterThanOrEqual(4);
    await killTree(find);
    expect(find()).toEqual([]);
  });

  it('has more members than the kernel lists in one go', async () => {
    const many = 800;
    await start(['sh', '-c', `for i in $(seq ${many}); do sleep 600 & done; echo up; wait`]);
    expect(childrenOf(tree.root?.pid ?? 0)).toHaveLength(many);
  });

  it('has no zombies in it', async () => {
    await start(waits);
    const pid = tree.root?.pid ?? 0;
    process.kill(pid, 'SIGKILL');
    // Nobody can wait for it yet: that happens in the event loop, which this does not leave.
    while (identify(pid)) continue;
    expect(readFileSync(`/proc/${pid}/stat`, 'latin1')).toContain(') Z ');
  });
});
