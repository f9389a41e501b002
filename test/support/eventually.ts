import { setTimeout as delay } from 'node:timers/promises';

/** A look may be a request: more often, and those who wait would keep busy the machine that they wait for. */
const INTERVAL_MS = 100;

/**
 * Waits for something outside of this process that tells nobody when it happens. Resolves with the first answer that is
 * not false or undefined; rejects with `what` when there is none in time.
 */
export async function eventually<T>(
  what: string,
  probe: () => T | Promise<T>,
  withinMs = 5_000,
): Promise<Exclude<T, false | undefined>> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const answer = await probe();
    if (answer !== false && answer !== undefined) return answer as Exclude<T, false | undefined>;
    if (Date.now() > deadline) throw new Error(`Not within ${withinMs} ms: ${what}`);
    await delay(INTERVAL_MS);
  }
}
