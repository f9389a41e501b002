import { once } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { freePort } from '../../test/support/ports.js';
import { readConfig } from '../config/config.js';
import { PortsService } from './ports.service.js';

describe('ports of apps', () => {
  const servers: Server[] = [];
  afterEach(() => servers.splice(0).forEach((server) => server.close()));

  async function listen(host: string, port = 0): Promise<number> {
    const server = createServer().listen(port, host);
    servers.push(server);
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  }

  const service = (range: string, port = '0') =>
    new PortsService(readConfig({ APP_PORT_RANGE: range, PORT: port, WORKSPACE_DIR: '/w', DATA_DIR: '/d' }));

  it('are never given to two at the same time', async () => {
    const ports = service('21900-21999');
    const taken = await Promise.all(Array.from({ length: 50 }, (_, index) => ports.take(`r_${index}`)));
    expect(new Set(taken).size).toBe(50);
  });

  it('that were asked for twice at the same time are given once', async () => {
    const port = await freePort();
    const ports = service('21900-21999');
    const [first, second] = await Promise.allSettled([
      ports.take('r_1', { requested: port }),
      ports.take('r_2', { requested: port }),
    ]);
    expect(first).toEqual({ status: 'fulfilled', value: port });
    expect(second).toMatchObject({ status: 'rejected', reason: { code: 'PORT_IN_USE', context: { port } } });
  });

  it.each(['127.0.0.1', '0.0.0.0', '::1', '::'])('are in use when somebody listens on %s', async (host) => {
    const port = await listen(host);
    await expect(service('21900-21999').take('r_1', { requested: port })).rejects.toMatchObject({
      code: 'PORT_IN_USE',
    });
    await expect(service(`${port}-${port}`).take('r_1')).rejects.toThrow('APP_PORT_RANGE');
  });

  it('are not that of the station', async () => {
    const port = await freePort();
    await expect(service('21900-21999', String(port)).take('r_1', { requested: port })).rejects.toThrow(
      'the station itself',
    );
    await expect(service(`${port}-${port}`, String(port)).take('r_1')).rejects.toMatchObject({ code: 'PORT_IN_USE' });
  });

  it('stay the same where a run that came to nothing has forgotten its own', async () => {
    const ports = service('21900-21999');
    const last = await ports.take('r_1');
    ports.release('r_1');
    await ports.take('r_2');
    expect(await ports.take('r_1', { last: null })).toBe(last);
    ports.forget('r_1');
    expect(await ports.take('r_1')).not.toBe(last);
  });

  it('stay the same from run to run, as long as nobody else has them', async () => {
    const ports = service('21900-21999');
    const last = await ports.take('r_1');
    ports.release('r_1');
    expect(await ports.take('r_2')).not.toBe(last);
    expect(await ports.take('r_1', { last })).toBe(last);
    ports.release('r_1');
    await ports.take('r_2', { last });
    expect(await ports.take('r_1', { last })).not.toBe(last);
    expect(await ports.take('r_1', { last: 3_000 })).toBeGreaterThan(21_899); // where it listened by its own choice
  });

  it('are free again once they are given back', async () => {
    const port = await freePort();
    const ports = service(`${port}-${port}`);
    expect(await ports.take('r_1')).toBe(port);
    await expect(ports.take('r_2')).rejects.toMatchObject({ code: 'PORT_IN_USE', retryable: true });
    ports.release('r_1');
    expect(await ports.take('r_2')).toBe(port);
  });
});
