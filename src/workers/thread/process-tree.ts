import { readdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { isSameProcess, TREE_MARKER, type ProcessIdentity, type ProcessTree } from '../../contracts/process-tree.js';
import { FrontShell, LAST_STEPS_MS } from './front-shell.js';
import { readProc } from './read-proc.js';

/** A live process. Zombies are not: `kill(pid, 0)` says that they live, which is how dead apps get reported as running. */
export interface LiveProcess extends ProcessIdentity {
  ppid: number;
  pgid: number;
}

/** What is left when the ending of a tree is over. */
export interface TreeEnd {
  /** Whether SIGKILL was needed. */
  forced: boolean;
  /** Members that even SIGKILL has not ended: another user's, or stuck in the kernel. Empty but for such. */
  survivors: LiveProcess[];
}

const KILL_POLL_MS = 25;
const KILL_PATIENCE_MS = 10_000;

/** Every live member of the tree: by marker or known identity, then by descent and process group. */
export function findTree({ marker, root, inits = [], seen = [] }: ProcessTree): LiveProcess[] {
  const known = new Set([...(root ? [root] : []), ...inits, ...seen].map(key));
  return withRelatives(liveProcesses(), (one) => known.has(key(one)) || carriesMarker(one.pid, marker));
}

/** Of the tree what the repository runs: without the processes that make up a sandbox. */
export function findInside(tree: ProcessTree): LiveProcess[] {
  const { inits } = tree;
  if (!inits) return findTree(tree);
  // Whoever loses its parent in there becomes a child of the first process: descent alone finds all.
  const all = liveProcesses();
  const first = new Set(inits.map(key));
  const members = new Set(all.filter((one) => first.has(key(one))));
  const inside: LiveProcess[] = [];
  for (let generation = [...members]; generation.length > 0;) {
    const parents = new Set(generation.map(({ pid }) => pid));
    generation = all.filter((one) => parents.has(one.ppid) && !members.has(one));
    for (const one of generation) members.add(one);
    inside.push(...generation);
  }
  return inside;
}

/** Every live process whose marker starts with `prefix`: what is left of a repository, or of a whole station. */
export function findTreesByPrefix(prefix: string): LiveProcess[] {
  return withRelatives(liveProcesses(), (one) => hasMarker(one.pid, (found) => found.startsWith(prefix)));
}

/** How the members of a tree are found, again and again: all, and those without the sandbox. */
export interface TreeSearch extends Pick<ProcessTree, 'command' | 'inits'> {
  inside(): LiveProcess[];
  all(): LiveProcess[];
}

export const searchOf = (tree: ProcessTree): TreeSearch => ({
  ...tree,
  inside: () => findInside(tree),
  all: () => findTree(tree),
});

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
      if (asked.has(key(member)) || front.isSpared(member, members)) continue;
      signal(member, 'SIGTERM');
      asked.add(key(member));
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
    const known = new Set(found.map(key));
    const hidden = seen.filter((one) => !known.has(key(one)) && isAlive(one));
    for (const one of hidden) known.add(key(one));
    seen = hidden.length > 0 ? withRelatives(liveProcesses(), (one) => known.has(key(one))) : found;
    return seen;
  };
}

/** The pid's identity, or undefined when there is no such live process. */
export function identify(pid: number): LiveProcess | undefined {
  const stat = readProc(`/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  // The command name stands in parentheses and may itself hold spaces and parentheses.
  const [state, ppid, pgid, ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  // A zombie with threads left is a program whose main thread has ended before the others.
  if (state === 'X' || (state === 'Z' && Number(rest[14]) < 2)) return undefined;
  return { pid, ppid: Number(ppid), pgid: Number(pgid), startTime: Number(rest[16]) };
}

function liveProcesses(): LiveProcess[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => identify(Number(name)))
    .filter((found) => found !== undefined);
}

/** The processes that `belongs` picks, all that descend from them, and all in their process groups. */
function withRelatives(all: LiveProcess[], belongs: (process: LiveProcess) => boolean): LiveProcess[] {
  const others = all.filter((one) => one.pid !== process.pid);
  const own = ownGroup();
  const members = new Set(others.filter(belongs));
  for (let grown = members.size > 0; grown;) {
    const pids = new Set([...members].map((member) => member.pid));
    const groups = new Set([...members].map((member) => member.pgid).filter((group) => group !== own));
    const joining = others.filter((one) => !members.has(one) && (pids.has(one.ppid) || groups.has(one.pgid)));
    for (const one of joining) members.add(one);
    grown = joining.length > 0;
  }
  return [...members];
}

/** Whether the process has this marker in its environment: then it can be found whatever becomes of its parents. */
export const carriesMarker = (pid: number, marker: string): boolean => hasMarker(pid, (found) => found === marker);

function hasMarker(pid: number, matches: (marker: string) => boolean): boolean {
  const variables = `\0${readProc(`/proc/${pid}/environ`) ?? ''}\0`;
  const name = `\0${TREE_MARKER}=`;
  const start = variables.indexOf(name);
  return start >= 0 && matches(variables.slice(start + name.length, variables.indexOf('\0', start + 1)));
}

const isAlive = (one: ProcessIdentity): boolean => {
  const found = identify(one.pid);
  return found !== undefined && isSameProcess(found, one);
};

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

/** Of the server itself: git runs in it, and strangers may. */
const ownGroup = (): number | undefined => identify(process.pid)?.pgid;

const key = (identity: ProcessIdentity): string => `${identity.pid}:${identity.startTime}`;
