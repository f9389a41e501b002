import { once } from 'node:events';
import type { StationSocket } from './station-socket.js';

/** A client that has this much to read and still does not gets no more of the server's memory. */
const MAX_WAITING_CHARS = 4_000_000;

/** Packets that the transport of a socket has not taken yet. Engine.io has them in a private field and nowhere else. */
export const backlogOf = ({ conn }: StationSocket): number =>
  (conn as unknown as { writeBuffer: unknown[] }).writeBuffer.length;

/** Resolves when the backlog is gone; rejects when `signal` is aborted first. */
export async function drained(socket: StationSocket, signal: AbortSignal): Promise<void> {
  while (backlogOf(socket) > 0) await once(socket.conn, 'drain', { signal });
}

/** Ends the connection of a client that goes on without reading what it is sent. */
export function boundBacklog({ conn }: StationSocket): void {
  let waiting = 0;
  conn.on('packetCreate', ({ data }: { data?: string | Buffer }) => {
    if (waiting > MAX_WAITING_CHARS) cut(conn); // one large packet may wait; what comes on top of so much may not
    waiting += data?.length ?? 0;
  });
  conn.on('flush', () => (waiting = 0));
}

function cut(conn: StationSocket['conn']): void {
  conn.close(true);
  // A WebSocket would wait for its farewell to be read. The connection of a poll may be a proxy's, and others'.
  if (conn.transport.name === 'websocket') conn.request.socket.destroy();
}
