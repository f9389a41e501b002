/** What a client prefers about waiting (RFC 7240). */
export interface Preference {
  /** Seconds to wait for the outcome before the answer is 202. */
  waitSeconds: number;
  /** The value of Preference-Applied: what was heeded. */
  applied: string | undefined;
}

/** Common clients and proxies give up at 300 s. */
export const MAX_WAIT_SECONDS = 240;

/**
 * Reads the Prefer header. Without one a request waits, so that one curl does the job. `respond-async` with `wait=N`
 * means: wait that long, then answer 202. What cannot be understood is ignored, as the RFC asks.
 */
export function parsePrefer(header: string | undefined): Preference {
  const preferences = new Map<string, string>();
  for (const part of (header ?? '').split(',')) {
    const [name = '', value = ''] = (part.split(';')[0] ?? '').split('=', 2).map((text) => text.trim());
    const key = name.toLowerCase();
    if (!preferences.has(key)) preferences.set(key, value.replace(/^"(.*)"$/, '$1')); // the first one counts
  }
  const wait = preferences.get('wait');
  const seconds = wait !== undefined && /^\d{1,9}$/.test(wait) ? Number(wait) : undefined;
  const async = preferences.has('respond-async');
  const applied = [...(async ? ['respond-async'] : []), ...(seconds !== undefined ? [`wait=${seconds}`] : [])];
  return {
    waitSeconds: Math.min(seconds ?? (async ? 0 : MAX_WAIT_SECONDS), MAX_WAIT_SECONDS),
    applied: applied.join(', ') || undefined,
  };
}
