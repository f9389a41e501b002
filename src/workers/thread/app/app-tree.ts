import type { ProcessIdentity, ProcessTree } from '../../../contracts/process-tree.js';
import { carriesMarker, findTree, isSameProcess, type LiveProcess } from '../process-tree.js';

/**
 * The processes of an app, remembered from look to look: one that has cleared its environment is told apart from
 * strangers only as long as somebody has seen whose child it was.
 */
export class AppTree {
  private root: ProcessIdentity | undefined;
  private seen: LiveProcess[] = [];
  private unmarked: LiveProcess[] = [];

  constructor(
    private readonly marker: string,
    /** Called when there are new members that only their identity tells. */
    private readonly onUnmarked: () => void,
  ) {}

  grow(root: ProcessIdentity): void {
    this.root = root;
  }

  /** Those that live now. */
  members = (): LiveProcess[] => {
    this.seen = findTree({ marker: this.marker, root: this.root, seen: this.seen });
    const before = this.unmarked;
    this.unmarked = this.seen.filter(({ pid }) => !carriesMarker(pid, this.marker));
    if (this.unmarked.some((one) => !before.some((other) => isSameProcess(one, other)))) this.onUnmarked();
    return this.seen;
  };

  /** What is needed to find all of it from outside. */
  describe(): ProcessTree {
    const seen = this.unmarked.map(({ pid, startTime }) => ({ pid, startTime }));
    return { marker: this.marker, root: this.root, seen };
  }
}
