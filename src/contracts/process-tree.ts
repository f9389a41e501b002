/**
 * The processes that one operation or run started, as plain data that any thread, and the next server, can act on.
 * Descendants inherit the marker in their environment, so the tree is found again after reparenting, after the thread
 * that started it has gone, and after a restart of the server, and never by a pid that may belong to somebody else by now.
 */
export interface ProcessTree {
  /** Value of the marker variable: unique for each operation or run. */
  marker: string;
  /** The first process. */
  root?: ProcessIdentity;
  /** The command that was started last, whose exit status is that of the whole: the shell in front of a script. */
  command?: ProcessIdentity;
  /** The first process inside of each sandbox: what descends from one is the repository's, all else is the sandbox itself. */
  inits?: ProcessIdentity[];
  /** Processes seen in the tree earlier: finds those that have cleared their environment and left their parent since. */
  seen?: ProcessIdentity[];
}

/** `startTime` is field 22 of /proc/PID/stat, in clock ticks since boot: with it, a reused pid is told apart. */
export interface ProcessIdentity {
  pid: number;
  startTime: number;
}

/** A pid alone may have been given to somebody else meanwhile. */
export const isSameProcess = (one: ProcessIdentity, other: ProcessIdentity): boolean =>
  one.pid === other.pid && one.startTime === other.startTime;

/** Environment variable that every process started for a repository inherits. */
export const TREE_MARKER = 'DOCKING_STATION_TREE';

/** `<stationId>:<uid>:<operationId>`: its prefix finds everything of a repository, or everything of this station. */
export const treeMarker = (stationId: string, uid: string, operationId: string): string =>
  `${stationId}:${uid}:${operationId}`;
