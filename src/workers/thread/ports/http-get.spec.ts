import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { httpGet } from './http-get.js';

const SWITCHED = 'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: other\r\n\r\n';

it('has no answer of what changes to another protocol', async () => {
  const server = createServer((request) => request.socket.end(SWITCHED)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    const { port } = server.address() as AddressInfo;
    expect(await httpGet(`http://127.0.0.1:${port}`, 500)).toBeUndefined();
  } finally {
    server.close();
    await once(server, 'close');
  }
});
