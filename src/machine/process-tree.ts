import { uptime } from 'node:os';
import { TREE_MARKER, type ProcessTree } from '../contracts/process-tree.js';
import {
  childrenOf,
  identify,
  isAlive,
  keyOf,
  liveProcesses,
  TICKS_PER_SECOND,
  type LiveProcess,
} from './live-processes.js';
import { readProc } from './read-proc.js';

/** Every live member of the tree: by marker or known identity, then by descent and process group. */
export function findTree({ marker, root, inits = [], seen = [] }: ProcessTree): LiveProcess[] {
  const known = new Set([...(root ? [root] : []), ...inits, ...seen].map(keyOf));
  return withRelatives((one) => known.has(keyOf(one)) || carriesMarker(one, marker));
}

/** Of the tree what the repository runs: without the processes that make up a sandbox. */
export function findInside(tree: ProcessTree): LiveProcess[] {
  const { inits } = tree;
  if (!inits) return findTree(tree);
  // Orphans inside a sandbox become children of its first process, so descent alone finds every one.
  const inside = new Map<number, LiveProcess>();
  for (let parents = inits.filter(isAlive); parents.length > 0;) {
    const children = parents.flatMap(({ pid }) => childrenOf(pid)).filter((pid) => !inside.has(pid));
    parents = children.map(identify).filter((one) => one !== undefined);
    for (const one of parents) inside.set(one.pid, one as LiveProcess);
  }
  return [...inside.values()];
}

/** Every live process whose marker starts with `prefix`: what is left of a repository, or of a whole station. */
export function findTreesByPrefix(prefix: string): LiveProcess[] {
  return withRelatives((one) => isMarked(one, (marker) => marker.startsWith(prefix)));
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

/** The processes that `belongs` picks, all that descend from them, and all in their process groups. */
export function withRelatives(belongs: (process: LiveProcess) => boolean): LiveProcess[] {
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

/** Of the server itself: git runs in it, and strangers may. */
export const ownGroup = (): number | undefined => identify(process.pid)?.pgid;

/** Whether the process has this marker in its environment: then it can be found whatever becomes of its parents. */
export const carriesMarker = (one: LiveProcess, marker: string): boolean => isMarked(one, (found) => found === marker);

function isMarked(one: LiveProcess, isWanted: (marker: string) => boolean): boolean {
  const marker = markerOf(one);
  return marker !== undefined && isWanted(marker) && mayBeBelieved(one, marker);
}

/**
 * What runs inside a sandbox can give itself the marker of somebody else's tree, to have it counted or ended there. In there
 * descent alone tells; of the first process, which outlives its parents, the marker counts unless its parent has another.
 */
function mayBeBelieved({ pid, ppid }: LiveProcess, marker: string): boolean {
  const [, ...inside] = pidsOf(pid);
  if (inside.length === 0) return true;
  const markerOfParent = readMarker(ppid);
  return inside.length === 1 && inside[0] === 1 && (markerOfParent === undefined || markerOfParent === marker);
}

/** In the namespaces from the server's on, outermost first. */
function pidsOf(pid: number): number[] {
  const [, pids = ''] = /^NSpid:(.*)$/m.exec(readProc(`/proc/${pid}/status`) ?? '') ?? [];
  return pids.trim().split(/\s+/).map(Number);
}

/**
 * Processes without a marker that are older than the moment between fork and exec, which gives it: most of a machine's live
 * on, look after look. One with a marker is looked at again: it may clear its environment by another exec.
 */
const strangers = new Set<string>();
const SETTLED_SECONDS = 5;
const MAX_REMEMBERED = 10_000;

function markerOf(one: LiveProcess): string | undefined {
  if (strangers.has(keyOf(one))) return undefined;
  const marker = readMarker(one.pid);
  if (marker === undefined && uptime() - one.startTime / TICKS_PER_SECOND > SETTLED_SECONDS) {
    if (strangers.size >= MAX_REMEMBERED) strangers.clear();
    strangers.add(keyOf(one));
  }
  return marker;
}

function readMarker(pid: number): string | undefined {
  const variables = `\0${readProc(`/proc/${pid}/environ`) ?? ''}\0`;
  const name = `\0${TREE_MARKER}=`;
  const start = variables.indexOf(name);
  return start < 0 ? undefined : variables.slice(start + name.length, variables.indexOf('\0', start + 1));
}
