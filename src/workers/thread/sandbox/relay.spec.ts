import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '../../../../test/support/ports.js';
import { Relay } from './relay.js';

const EARLY = 20;

describe('a port that is being published', () => {
  let app: Server;
  let relay: Relay;

  beforeEach(async () => {
    // Only when it has heard all.
    app = createServer({ allowHalfOpen: true }, (socket) => {
      const heard: Buffer[] = [];
      socket
        .on('data', (chunk) => heard.push(chunk))
        .on('end', () => socket.end(`app: ${Buffer.concat(heard).toString()}`));
    });
    app.listen(0, '127.0.0.1');
    await once(app, 'listening');
    const setting = { enter: [], descriptors: [], cwd: '/', env: {} };
    relay = new Relay({ ...setting, isNeeded: () => true, onBroken: () => undefined });
  });
  afterEach(async () => {
    await relay.dispose();
    app.close();
  });

  function open(port: number): Promise<number> {
    const { port: appPort } = app.address() as AddressInfo;
    return relay.open({ outside: { host: '127.0.0.1', port }, to: { host: '127.0.0.1', port: appPort } });
  }

  /** Says all that it has to say, and reads the answer. */
  async function ask(socket: Socket): Promise<string> {
    return text(socket.end('hello'));
  }

  /** As soon as somebody listens. */
  async function connected(port: number): Promise<Socket> {
    for (;;) {
      const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
      const taken = await once(socket, 'connect').catch(() => undefined);
      if (taken) return socket;
      await delay(1);
    }
  }

  it('answers who came before the relay was there, and who comes later', async () => {
    const port = await freePort();
    const opened = open(port);
    const early = await Promise.all(Array.from({ length: EARLY }, () => connected(port)));
    const answers = early.map(ask);
    await opened;
    expect(await Promise.all(answers)).toEqual(early.map(() => 'app: hello'));
    expect(await ask(await connected(port))).toBe('app: hello');
  });

  it('leaves nobody to wait whom it cannot lead on', async () => {
    const port = await freePort();
    const opened = open(port).catch(() => 'not opened');
    const early = await connected(port);
    await relay.dispose();
    expect(await opened).toBe('not opened');
    expect(await ask(early)).toBe('');
  });
});
