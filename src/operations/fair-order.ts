/** What says whose turn it is. */
export interface FairnessState {
  /** How many of an owner's operations are running. */
  running: ReadonlyMap<string, number>;
  /** When an owner was served last: a number that grows. */
  served: ReadonlyMap<string, number>;
}

/**
 * Waiting items in the order in which they would start if each took the same time: next is the owner with the fewest
 * operations running, then the one served longest ago, then the order of arrival.
 */
export function fairOrder<T extends { owner: string }>(items: readonly T[], { running, served }: FairnessState): T[] {
  const busy = new Map(running);
  const ranked = items.map((item, arrival) => {
    const before = busy.get(item.owner) ?? 0; // with those of this owner that start before it
    busy.set(item.owner, before + 1);
    return { item, before, served: served.get(item.owner) ?? 0, arrival };
  });
  ranked.sort((a, b) => a.before - b.before || a.served - b.served || a.arrival - b.arrival);
  return ranked.map(({ item }) => item);
}

/** How many of the items there are of each kind. */
export function countBy<T, K>(items: Iterable<T>, kindOf: (item: T) => K): Map<K, number> {
  const counts = new Map<K, number>();
  for (const item of items) counts.set(kindOf(item), (counts.get(kindOf(item)) ?? 0) + 1);
  return counts;
}
