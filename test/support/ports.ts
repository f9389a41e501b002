import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';

/** A TCP port of 127.0.0.1 that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

const RANGE_SIZE = 100;
const RANGES_PER_WORKER = 40;
let rangesTaken = 0;

/** An APP_PORT_RANGE of its own for each station of this machine's test workers, below the ephemeral ports. */
export function appPortRange(): string {
  const worker = Number(process.env.JEST_WORKER_ID ?? 0) % 3;
  const first = 20_000 + (worker * RANGES_PER_WORKER + (rangesTaken++ % RANGES_PER_WORKER)) * RANGE_SIZE;
  return `${first}-${first + RANGE_SIZE - 1}`;
}
