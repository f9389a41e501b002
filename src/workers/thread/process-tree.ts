import { readdirSync } from 'node:fs';
import { uptime } from 'node:os';
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
/** Enough for any machine; a fork bomb would go on for ever. */
const MAX_ROUNDS = 10;

/** Every live member of the tree: by marker or known identity, then by descent and process group. */
export function findTree({ marker, root, inits = [], seen = [] }: ProcessTree): LiveProcess[] {
  const known = new Set([...(root ? [root] : []), ...inits, ...seen].map(key));
  return withRelatives((one) => known.has(key(one)) || markerOf(one) === marker);
}

/** Of the tree what the repository runs: without the processes that make up a sandbox. */
export function findInside(tree: ProcessTree): LiveProcess[] {
  const { inits } = tree;
  if (!inits) return findTree(tree);
  // Whoever loses its parent in there becomes a child of the first process: descent alone finds all.
  const inside = new Map<number, LiveProcess>();
  for (let parents = inits.filter(isAlive); parents.length > 0;) {
    const children = parents.flatMap(({ pid }) => childrenOf(pid)).filter((pid) => !inside.has(pid));
    parents = children.map(identify).filter((one) => one !== undefined);
    for (const one of parents) inside.set(one.pid, one as LiveProcess);
  }
  return [...inside.values()];
}

/** The kernel lists them with the thread that has started them. */
export function childrenOf(pid: number): number[] {
  const folder = `/proc/${pid}/task`;
  try {
    const lists = readdirSync(folder).map((thread) => readProc(`${folder}/${thread}/children`) ?? '');
    return lists.flatMap((list) => list.split(' ').filter(Boolean).map(Number));
  } catch {
    return []; // it has ended
  }
}

/** Every live process whose marker starts with `prefix`: what is left of a repository, or of a whole station. */
export function findTreesByPrefix(prefix: string): LiveProcess[] {
  return withRelatives((one) => markerOf(one)?.startsWith(prefix) === true);
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
    seen = hidden.length > 0 ? withRelatives((one) => known.has(key(one))) : found;
    return seen;
  };
}

/** PF_KTHREAD among the flags of a process, see proc(5). Threads of the kernel are most of what an idle machine has. */
const KERNEL_THREAD = 0x0020_0000;

/** The pid's identity, or undefined when there is no such live process. */
export function identify(pid: number): LiveProcess | undefined {
  const stat = readProc(`/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  // The command name stands in parentheses and may itself hold spaces and parentheses.
  const [state, ppid, pgid, ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  // A zombie with threads left is a program whose main thread has ended before the others.
  if (state === 'X' || (state === 'Z' && Number(rest[14]) < 2)) return undefined;
  if (Number(rest[3]) & KERNEL_THREAD) return undefined;
  return { pid, ppid: Number(ppid), pgid: Number(pgid), startTime: Number(rest[16]) };
}

/**
 * All that live, each shown to `look` as soon as it is found. The list of pids is read again until it holds no new one:
 * a process that starts its successor and exits, over and over, could have been the one before at each look.
 */
function liveProcesses(look: (found: LiveProcess) => void = () => undefined): LiveProcess[] {
  const found: LiveProcess[] = [];
  const known = new Set<string>();
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const added = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && !known.has(name));
    if (added.length === 0) break;
    for (const name of added) {
      known.add(name);
      const one = identify(Number(name));
      if (!one) continue;
      found.push(one);
      look(one);
    }
  }
  return found;
}

/** The processes that `belongs` picks, all that descend from them, and all in their process groups. */
function withRelatives(belongs: (process: LiveProcess) => boolean): LiveProcess[] {
  const own = ownGroup();
  const members = new Set<LiveProcess>();
  const others = liveProcesses((one) => {
    if (one.pid !== process.pid && belongs(one)) members.add(one);
  }).filter((one) => one.pid !== process.pid);
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
export const carriesMarker = (one: LiveProcess, marker: string): boolean => markerOf(one) === marker;

/**
 * Processes without a marker that are older than the moment between fork and exec, which gives it: most of a machine's live
 * on, look after look. One with a marker is looked at again: it may clear its environment by another exec.
 */
const strangers = new Set<string>();
const SETTLED_SECONDS = 5;
const MAX_REMEMBERED = 10_000;
/** What the kernel counts start times in, on every architecture that Node.js runs on. */
const TICKS_PER_SECOND = 100;

function markerOf(one: LiveProcess): string | undefined {
  if (strangers.has(key(one))) return undefined;
  const marker = readMarker(one.pid);
  if (marker === undefined && uptime() - one.startTime / TICKS_PER_SECOND > SETTLED_SECONDS) {
    if (strangers.size >= MAX_REMEMBERED) strangers.clear();
    strangers.add(key(one));
  }
  return marker;
}

function readMarker(pid: number): string | undefined {
  const variables = `\0${readProc(`/proc/${pid}/environ`) ?? ''}\0`;
  const name = `\0${TREE_MARKER}=`;
  const start = variables.indexOf(name);
  return start < 0 ? undefined : variables.slice(start + name.length, variables.indexOf('\0', start + 1));
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
