import { once } from 'node:events';
import type { StationSocket } from './station-socket.js';

/** Packets that the transport of a socket has not taken yet. Engine.io has them in a private field and nowhere else. */
export const backlogOf = ({ conn }: StationSocket): number =>
  (conn as unknown as { writeBuffer: unknown[] }).writeBuffer.length;

/** Resolves when the backlog is gone; rejects when `signal` is aborted first. */
export async function drained(socket: StationSocket, signal: AbortSignal): Promise<void> {
  while (backlogOf(socket) > 0) await once(socket.conn, 'drain', { signal });
}
