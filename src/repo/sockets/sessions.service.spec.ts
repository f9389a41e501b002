import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Server } from 'socket.io';
import { io, type Socket } from 'socket.io-client';
import type { DataSource } from 'typeorm';
import { eventually } from '../../../test/support/eventually.js';
import { ApiKeysService } from '../../auth/api-keys.service.js';
import { OwnerPlans } from '../../auth/owner-plans.js';
import { Patrons } from '../../auth/patreon/patrons.service.js';
import { GrantedPlans } from '../../auth/plans/granted-plans.js';
import { PlansService } from '../../auth/plans/plans.service.js';
import { STATION } from '../../auth/principal.js';
import { RateLimit } from '../../auth/rate-limit.service.js';
import type { StationConfig } from '../../config/config.js';
import { InProcessEventBus } from '../../events/in-process-event-bus.js';
import { Secrets } from '../../registry/secrets.js';
import { openDatabase } from '../../registry/sql/database.js';
import { SqlKeyStore } from '../../registry/sql/sql-key-store.js';
import { SqlOwnerStore } from '../../registry/sql/sql-owner-store.js';
import { SqlPatronStore } from '../../registry/sql/sql-patron-store.js';
import { SessionsService } from './sessions.service.js';
import type { SocketSession } from './socket-session.js';
import { Subscription } from './subscription.js';

describe('A socket', () => {
  const folder = mkdtempSync(join(tmpdir(), 'docking-sessions-'));
  const server = createServer();
  const sockets = new Server(server);
  const opened: SocketSession[] = [];
  let database: DataSource;
  let patrons: Patrons;
  let keys: ApiKeysService;
  let sessions: SessionsService;
  /** What happens between a handshake and its connection. */
  let meanwhile: () => Promise<unknown>;
  const clients: Socket[] = [];

  beforeAll(async () => {
    database = await openDatabase(folder, () => undefined);
    const events = new InProcessEventBus();
    const config = { dataDir: folder, host: '127.0.0.1', rateLimit: 0, trustProxy: 0 } as StationConfig;
    const plans = new PlansService(config, events);
    const grants = await GrantedPlans.load(new SqlOwnerStore(database));
    patrons = await Patrons.load(config, new SqlPatronStore(database, Secrets.load(config)), plans, grants, events);
    keys = new ApiKeysService(new SqlKeyStore(database), new OwnerPlans(plans, grants, patrons), events, null);
    sessions = new SessionsService(keys, events, new RateLimit(config), config);
    sessions.onModuleInit();
    sockets.use((socket, next) => {
      const admitted = sessions.admit(socket).then(() => meanwhile());
      admitted.then(() => next(), next);
    });
    sockets.on('connection', (socket) => {
      opened.push(sessions.open(socket));
      socket.on('disconnect', () => sessions.close(socket));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterAll(async () => {
    await sockets.close();
    sessions.onApplicationShutdown();
    keys.onApplicationShutdown();
    patrons.onApplicationShutdown();
    await database.destroy();
    rmSync(folder, { recursive: true });
  });

  beforeEach(() => {
    meanwhile = () => Promise.resolve();
  });
  afterEach(() => {
    for (const client of clients.splice(0)) client.close();
  });

  /** Resolves with its end at the server, and with why it is closed once it is. */
  async function connect(apiKey: string): Promise<{ session: SocketSession; closed: Promise<unknown> }> {
    const client = io(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, {
      auth: { apiKey },
      forceNew: true,
      reconnection: false,
      transports: ['websocket'],
    });
    clients.push(client);
    const closed = new Promise((resolve) => client.once('disconnect', resolve));
    await new Promise<void>((resolve, reject) => {
      client.once('connect', resolve);
      client.once('connect_error', reject);
    });
    const session = opened.find(({ socket }) => socket.id === client.id);
    if (!session) throw new Error('The server has no session of the socket');
    return { session, closed };
  }
  async function makeKey(): Promise<{ key: string; id: string }> {
    const { key, stored } = await keys.create({ name: 'a key', owner: 'alice' }, STATION);
    return { key, id: stored.id };
  }

  it('whose key ends between its handshake and its connection is closed', async () => {
    const { key, id } = await makeKey();
    meanwhile = () => keys.revoke(id, STATION);
    const { closed } = await connect(key);
    expect(await closed).toMatch(/^transport/);
  });

  it('has nothing carried out that gets its turn after its key has ended', async () => {
    const { key, id } = await makeKey();
    const { session } = await connect(key);
    const ask = () => sessions.callerOf(session, 'repo-operation', { operation: 'clone' });
    expect(await ask()).toMatchObject({ owner: 'alice' });
    await keys.revoke(id, STATION);
    await expect(ask()).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
    await expect(sessions.callerOf(session, 'repo-operation', { apiKey: key })).rejects.toMatchObject({
      code: 'UNAUTHORIZED',
    });
  });

  it('is subscribed to nothing with another key that has ended on the way', async () => {
    const { session } = await connect((await makeKey()).key);
    const { key, id } = await makeKey();
    const caller = await sessions.callerOf(session, 'repo-subscribe', { apiKey: key });
    await keys.revoke(id, STATION);
    session.subscriptions.set('r_1', new Subscription('r_1', caller));
    await sessions.endWithKey(session, caller);
    expect(session.subscriptions.size).toBe(0);
    expect(session.socket.connected).toBe(true);
  });

  it('has no more wait for its turn than a few messages’ worth of characters', async () => {
    const { session } = await connect((await makeKey()).key);
    let taken = 0;
    let letGo = (): void => undefined;
    const held = new Promise<void>((resolve) => (letGo = resolve));
    const send = () =>
      session.inTurn(async () => {
        await held;
        taken += 1;
      }, 900_000);
    send();
    send();
    expect(send).toThrow(expect.objectContaining({ code: 'QUEUE_FULL' }));
    letGo();
    await eventually('both are taken up', () => taken === 2);
    await eventually('there is room again', () => {
      try {
        send();
        return true;
      } catch {
        return false;
      }
    });
  });
});
