import { isSameProcess, type ProcessTree } from '../../../contracts/process-tree.js';
import { type LiveProcess } from '../../../machine/live-processes.js';
import { carriesMarker, findInside, findTree, type TreeSearch } from '../../../machine/process-tree.js';
import type { SandboxedProcess } from '../sandbox/sandbox.js';

/**
 * The processes of an app, remembered from look to look: without a sandbox, one that has cleared its environment is told
 * apart from strangers only as long as somebody has seen whose child it was.
 */
export class AppTree {
  private tree: ProcessTree;
  private seen: LiveProcess[] = [];
  private unmarked: LiveProcess[] = [];

  constructor(
    marker: string,
    /** Called when there are new members that only their identity tells. */
    private readonly onUnmarked: () => void,
  ) {
    this.tree = { marker };
  }

  grow({ root, init, identity: command }: SandboxedProcess): void {
    this.tree = { ...this.tree, root, command, ...(init && { inits: [...(this.tree.inits ?? []), init] }) };
  }

  /** What `terminateTree` ends the app by. */
  get search(): TreeSearch {
    const { tree, inside, all } = this;
    return { ...tree, inside, all };
  }

  /** What the app runs, without its sandbox, and lives now. */
  inside = (): LiveProcess[] => (this.tree.inits ? findInside(this.tree) : this.all());

  /** Every process that lives now. */
  all = (): LiveProcess[] => {
    this.seen = findTree({ ...this.tree, seen: this.seen });
    if (this.tree.inits) return this.seen;
    const before = this.unmarked;
    this.unmarked = this.seen.filter((one) => !carriesMarker(one, this.tree.marker));
    if (this.unmarked.some((one) => !before.some((other) => isSameProcess(one, other)))) this.onUnmarked();
    return this.seen;
  };

  /** What is needed to find all of it from outside. */
  describe(): ProcessTree {
    const seen = this.unmarked.map(({ pid, startTime }) => ({ pid, startTime }));
    return { ...this.tree, seen };
  }
}
