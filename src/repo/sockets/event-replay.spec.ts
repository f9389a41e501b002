import type { RepoEvent } from '../../contracts/events.js';
import { EventReplay } from './event-replay.js';

const event = (seq: number): RepoEvent => ({
  seq,
  time: 0,
  uid: 'r_1',
  repoId: 'a-b',
  type: 'state',
  state: 'ready',
  previousState: 'cloned',
});

describe('The replay of events', () => {
  let replay: EventReplay;
  const keep = (from: number, to: number) => {
    for (let seq = from; seq <= to; seq += 1) replay.keep({ name: 'repo-event', payload: event(seq) });
  };
  const seqs = (since: number, last: number) => {
    const { events, missed } = replay.since('r_1', since, last);
    return { seqs: events.map(({ payload }) => payload.seq), missed };
  };

  beforeEach(() => (replay = new EventReplay()));

  it('gives what came after a seq', () => {
    keep(1, 5);
    expect(seqs(3, 5)).toEqual({ seqs: [4, 5], missed: 0 });
    expect(seqs(5, 5)).toEqual({ seqs: [], missed: 0 });
  });

  it('says how many it no longer has', () => {
    keep(1, 250);
    const { seqs: kept, missed } = seqs(10, 250);
    expect(kept).toHaveLength(200);
    expect(missed).toBe(40);
  });

  it('counts everything as missed when a new life of the server has nothing kept', () => {
    expect(seqs(10, 30)).toEqual({ seqs: [], missed: 20 });
    keep(31, 31);
    expect(seqs(10, 31)).toEqual({ seqs: [31], missed: 20 });
  });

  it('has nothing missed for a client that is ahead', () => {
    expect(seqs(99, 30)).toEqual({ seqs: [], missed: 0 });
  });
});
