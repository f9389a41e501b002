import type { IsolationReport, LimitsReport, NetworkReport } from './shapes.js';

/** How the code of one repository is confined: decided on the main thread, carried out and reported alike. */
export interface SandboxPlan {
  isolation: IsolationReport;
  network: NetworkReport;
  limits: LimitsReport;
  /** What the `bubblewrap` driver needs to know of the machine. */
  machine: SandboxMachine;
}

/** What sandboxes on this machine have in common; found out once, at start. */
export interface SandboxMachine {
  /** The user and group that sandboxes get from a station that was started as root; else they keep its own. */
  user?: number;
  /** Paths that are visible beside the system's own, read-only: toolchains, Node.js, certificates. */
  readable: string[];
  /** What is never visible, wherever it lies: the folders of the station, and files with secrets of its user. */
  hidden: string[];
  /** Servers that a private network reaches whatever their address: the npm registry and its proxies. */
  reachable: { host: string; port: number }[];
  /** The cgroup in which each repository has one of its own, for an equal share of the processor. */
  cpuGroup?: string;
}
