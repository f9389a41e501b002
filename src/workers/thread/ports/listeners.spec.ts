import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import { listenersSeenBy, ListenerWatch } from './listeners.js';

describe('what listens', () => {
  const servers: Server[] = [];
  afterEach(() => servers.splice(0).forEach((server) => server.close()));

  async function listen(host: string): Promise<number> {
    const server = createServer().listen(0, host);
    servers.push(server);
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  }

  it.each(['127.0.0.1', '0.0.0.0', '::1', '::'])('is found with its address: %s', async (address) => {
    const port = await listen(address);
    expect(listenersSeenBy('self')).toContainEqual(expect.objectContaining({ address, port }));
  });

  it('is seen at the next look, and so is its end', async () => {
    const watch = new ListenerWatch();
    const ports = () => watch.look([process.pid], true).own.map(({ port }) => port);
    const first = await listen('127.0.0.1');
    expect(ports()).toEqual([first]);
    const second = await listen('::1');
    expect(new Set(ports())).toEqual(new Set([first, second]));
    const [server] = servers;
    if (server) await once(server.close(), 'close');
    expect(ports()).toEqual([second]);
  });

  it('is that of the processes asked for, and of nobody else', async () => {
    const port = await listen('127.0.0.1');
    const { own } = new ListenerWatch().look([process.ppid], true);
    expect(own).not.toContainEqual(expect.objectContaining({ port }));
  });

  it('is not what is connected only', async () => {
    const port = await listen('127.0.0.1');
    const client = connect(port, '127.0.0.1');
    await once(client, 'connect');
    const listeners = listenersSeenBy('self');
    expect(listeners.filter((one) => one.port === port)).toHaveLength(1);
    expect(listeners.map((one) => one.port)).not.toContain(client.localPort);
    client.destroy();
  });
});
