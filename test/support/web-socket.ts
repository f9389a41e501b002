import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';

const TEXT_FRAME = 0x81;
const MASKED = 0x80;
const NO_MASK = Buffer.alloc(4);

/** Sends one short text message to a WebSocket server and resolves with its first answer. */
export async function webSocketExchange(url: string, text: string): Promise<string> {
  const handshake = request(url, {
    headers: {
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': Buffer.from('sixteen byte key').toString('base64'),
    },
  });
  handshake.end();
  const [, socket] = (await once(handshake, 'upgrade')) as [IncomingMessage, Socket];
  socket.write(Buffer.concat([Buffer.from([TEXT_FRAME, MASKED | text.length]), NO_MASK, Buffer.from(text)]));
  const [frame] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  return frame.subarray(2).toString();
}
