import { setTimeout as delay } from 'node:timers/promises';
import type { ProcessIdentity } from '../contracts/process-tree.js';
import { FrontShell, LAST_STEPS_MS } from './front-shell.js';
import { isAlive, keyOf, type LiveProcess } from './live-processes.js';
import { ownGroup, withRelatives, type TreeSearch } from './process-tree.js';

/** What is left when the ending of a tree is over. */
export interface TreeEnd {
  /** Whether SIGKILL was needed. */
  forced: boolean;
  /** Members that even SIGKILL has not ended: another user's, or stuck in the kernel. Empty but for such. */
  survivors: LiveProcess[];
}

const KILL_POLL_MS = 25;
const KILL_PATIENCE_MS = 10_000;

/**
 * Ends the tree: SIGTERM to what runs inside, to the shell in front of it last, after `graceMs` SIGKILL, until none is
 * left, then the sandbox. Resolves when all are dead. Members that appear meanwhile (a fork bomb, a shutdown hook) are
 * treated alike.
 */
export async function terminateTree(
  { inside, all, command, inits = [] }: TreeSearch,
  graceMs: number,
): Promise<TreeEnd> {
  const search = remembering(inside);
  const front = new FrontShell(command);
  const deadline = Date.now() + graceMs;
  const asked = new Set<string>();
  for (let members = search(); members.length > 0; members = search()) {
    if (Date.now() >= deadline) break;
    for (const member of members) {
      if (asked.has(keyOf(member)) || front.isSpared(member, members)) continue;
      signal(member, 'SIGTERM');
      asked.add(keyOf(member));
    }
    await delay(Math.min(KILL_POLL_MS, Math.max(1, deadline - Date.now())));
  }
  const { forced } = await killTree(search);
  await endByThemselves(inits);
  const { survivors } = await killTree(all);
  return { forced, survivors };
}

/** The first process of a sandbox tells how the command has ended, and then ends: killed before, it could not. */
async function endByThemselves(inits: ProcessIdentity[]): Promise<void> {
  const deadline = Date.now() + LAST_STEPS_MS;
  while (inits.some(isAlive) && Date.now() < deadline) await delay(KILL_POLL_MS);
}

/** SIGKILL to every member until none is left, for at most ten seconds. */
export async function killTree(find: () => LiveProcess[]): Promise<TreeEnd> {
  const search = remembering(find);
  const deadline = Date.now() + KILL_PATIENCE_MS;
  let members = search();
  const forced = members.length > 0;
  while (members.length > 0 && Date.now() < deadline) {
    // Stopped first, so that none can fork while the others are being killed.
    for (const member of members) signal(member, 'SIGSTOP');
    for (const member of members) signal(member, 'SIGKILL', true);
    await delay(KILL_POLL_MS);
    members = search();
  }
  return { forced, survivors: members };
}

/** One that cleared its environment cannot be found any more once its parent is dead, unless it was seen before. */
function remembering(find: () => LiveProcess[]): () => LiveProcess[] {
  let seen: LiveProcess[] = [];
  return () => {
    const found = find();
    const known = new Set(found.map(keyOf));
    const hidden = seen.filter((one) => !known.has(keyOf(one)) && isAlive(one));
    for (const one of hidden) known.add(keyOf(one));
    seen = hidden.length > 0 ? withRelatives((one) => known.has(keyOf(one))) : found;
    return seen;
  };
}

/** With `group` also all that is in its process group at this moment, and so in the tree, but not in the last look at it. */
function signal(member: LiveProcess, name: NodeJS.Signals, group = false): void {
  if (!isAlive(member)) return; // its pid may be somebody else's by now
  const targets = group && member.pgid !== ownGroup() ? [-member.pgid, member.pid] : [member.pid];
  for (const target of targets) {
    try {
      process.kill(target, name);
    } catch {
      // ended meanwhile, or another user's
    }
  }
}
