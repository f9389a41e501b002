import type { LogReader } from './log-reader.js';

const LINES = 20;
const CHARS = 500;

/** The end of a log, for whoever is told that something has failed: what was said, and not what the station says of it. */
export async function lastLines(logs: LogReader, uid: string, operationId: string): Promise<string[]> {
  const { lines } = await logs.tail(uid, operationId, LINES);
  return lines.filter(({ stream }) => stream !== 'system').map(({ text }) => text.slice(0, CHARS));
}
