import type { RepoEvent, RepoNotification } from '../../contracts/events.js';

export type KeptEvent = (
  { name: 'repo-event'; payload: RepoEvent } | { name: 'repo-notification'; payload: RepoNotification }
) & {
  /** The sender, who is not notified. */
  socketId?: string;
};

const KEPT_PER_REPOSITORY = 200;
/** An event may come after the end of its repository (what was queued behind it fails), so `forget` alone is not enough. */
const KEPT_REPOSITORIES = 5000;

/** The last events of each repository, for clients that were away. */
export class EventReplay {
  private readonly byUid = new Map<string, KeptEvent[]>();

  keep(event: KeptEvent): void {
    const { uid } = event.payload;
    const kept = this.byUid.get(uid) ?? [];
    kept.push(event);
    if (kept.length > KEPT_PER_REPOSITORY) kept.shift();
    this.byUid.delete(uid); // a Map is in the order of insertion: the first is the one that was quiet for longest
    this.byUid.set(uid, kept);
    const [quietest] = this.byUid.keys();
    if (this.byUid.size > KEPT_REPOSITORIES && quietest !== undefined) this.byUid.delete(quietest);
  }

  forget(uid: string): void {
    this.byUid.delete(uid);
  }

  /** The events after `seq`, and how many more there were that are no longer kept. `lastSeq` is the repository's. */
  since(uid: string, seq: number, lastSeq: number): { events: KeptEvent[]; missed: number } {
    const kept = this.byUid.get(uid) ?? [];
    const oldest = kept[0]?.payload.seq ?? lastSeq + 1;
    return { events: kept.filter(({ payload }) => payload.seq > seq), missed: Math.max(0, oldest - 1 - seq) };
  }
}
