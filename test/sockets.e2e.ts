import { readFileSync } from 'node:fs';
import { io, type Socket } from 'socket.io-client';
import type { RepoEvent, RepoLog, RepoNotification, RepoProgress } from '../src/contracts/events.js';
import type { Operation, Repository } from '../src/contracts/shapes.js';
import { eventually } from './support/eventually.js';
import { fixture, packageJson } from './support/fixtures.js';
import { GitServer } from './support/git-server.js';
import { Station } from './support/station.js';
import {
  ask,
  nextEvent,
  type ErrorMessage,
  type StationSocket,
  type SubscribeAnswer,
  type SubscribeMessage,
  type SuccessMessage,
} from './support/station-socket.js';

/** What callers are told does not depend on a sandbox; without one an operation takes half the time. */
const SANDBOX = 'none';

const ENDLESS = { wait: 'node -e "console.log(1); setInterval(() => {}, 1000)"' };

let git: GitServer;
let station: Station;

beforeAll(async () => {
  git = await GitServer.start();
  station = await Station.start({ allowedHosts: [git.host], env: { LOG_MAX_MB: '1', LOG_FILES: '1', SANDBOX } });
});
afterAll(async () => {
  await station.close();
  await git.close();
});

let docked = 0;

async function dock(files: Record<string, string>, options: object = {}, key?: string) {
  const { url } = await git.createRepository(`sockets/app${++docked}`, { files });
  const { status, body } = await station.clone(url, options, { key });
  expect(status).toBe(201);
  return body;
}

/** A plain client, for what the typed one would not let through. */
function rawSocket(options: Parameters<typeof io>[1] = {}): Socket {
  const socket = io(station.url, { forceNew: true, reconnection: false, ...options });
  opened.push(socket);
  return socket;
}
const opened: Socket[] = [];
afterEach(() => {
  for (const socket of opened.splice(0)) socket.close();
});

const connected = (socket: Socket) =>
  new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('connect_error', reject);
  });

function subscribe(socket: StationSocket, message: SubscribeMessage): Promise<SubscribeAnswer & ErrorMessage> {
  return new Promise((resolve) => {
    socket.emit('repo-subscribe', message, resolve);
  });
}

/** A body of half a megabyte in which nothing is known. */
const manyFields = (count = 40_000) =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`unknown${index}`, 0]));

/** Everything that a socket is sent from now on. */
function heard(socket: StationSocket | Socket): { event: string; payload: Record<string, unknown> }[] {
  const frames: { event: string; payload: Record<string, unknown> }[] = [];
  (socket as Socket).onAny((event: string, payload: Record<string, unknown>) => void frames.push({ event, payload }));
  return frames;
}

/** Whether the server's end of a connection on loopback is there; its client may not have noticed. */
function isConnected(clientPort: number, serverPort: number): boolean {
  const hex = (port: number) => `0100007F:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return readFileSync('/proc/net/tcp', 'utf8').includes(`${hex(serverPort)} ${hex(clientPort)} 01`);
}

/** Answered after everything that was sent before it: what a socket has not heard by then, it will not hear. */
const settled = (socket: StationSocket) => ask(socket, { operation: 'list' });

describe('A handshake', () => {
  it.each([
    ['in auth', () => ({ auth: { apiKey: station.adminKey } })],
    ['in the Authorization header', () => ({ extraHeaders: { authorization: `bearer ${station.adminKey}` } })],
  ])('with the key %s signs the socket in', async (_, options) => {
    for (const transports of [['polling'], ['websocket']]) {
      const socket = rawSocket({ ...options(), transports });
      await connected(socket);
      const answer = (await socket.emitWithAck('repo-operation', { operation: 'list' })) as SuccessMessage;
      expect(answer).toMatchObject({ operation: 'list', result: { count: expect.any(Number) as number } });
    }
  });

  it.each<[string, object]>([
    ['a wrong key', { auth: { apiKey: 'dock_wrong' } }],
    ['an empty key', { auth: { apiKey: '' } }],
    ['a key that is no text', { auth: { apiKey: { toString: null } } }],
    ['a list of keys', { auth: { apiKey: ['a'] } }],
    ['another scheme', { extraHeaders: { authorization: 'Basic eDp5' } }],
  ])('with %s is a connect_error with a code', async (_, options) => {
    const started = Date.now();
    const suggestion = expect.stringContaining('auth.apiKey') as string;
    await expect(connected(rawSocket(options))).rejects.toMatchObject({ data: { code: 'UNAUTHORIZED', suggestion } });
    expect(Date.now() - started).toBeLessThan(1000);
  });

  it('takes no key from the query, and logs none', async () => {
    const socket = rawSocket({ query: { apiKey: station.adminKey, token: station.adminKey } });
    await connected(socket);
    const answer = (await socket.emitWithAck('repo-operation', { operation: 'list' })) as ErrorMessage;
    expect(answer.error.code).toBe('UNAUTHORIZED');
    expect(station.output).not.toContain(station.adminKey);
  });

  it('does not reach any other namespace', async () => {
    const socket = io(`${station.url}/admin`, {
      forceNew: true,
      reconnection: false,
      auth: { apiKey: station.adminKey },
    });
    opened.push(socket);
    await expect(connected(socket)).rejects.toThrow('Invalid namespace');
  });
});

describe('A socket without a key', () => {
  it('hears nothing, loses its transport after ten seconds, and comes back by itself', async () => {
    const socket = rawSocket({ reconnection: true, reconnectionDelay: 10 });
    const frames = heard(socket);
    await connected(socket);
    const started = Date.now();
    const { repoId } = await dock(fixture('hello'), { visibility: 'shared' });
    await station.run(repoId);
    const reason = await new Promise((resolve) => socket.once('disconnect', resolve));
    expect(reason).toBe('transport close');
    expect(Date.now() - started).toBeGreaterThan(8_000);
    expect(Date.now() - started).toBeLessThan(12_000);
    expect(frames).toEqual([]);
    await connected(socket);
    const answer = (await socket.emitWithAck('repo-operation', {
      operation: 'list',
      apiKey: station.adminKey,
    })) as SuccessMessage;
    expect(answer.operation).toBe('list');
  }, 20_000);

  it('is told so and nothing else, whatever it has sent', async () => {
    const socket = rawSocket();
    await connected(socket);
    for (const body of [{ operation: 'clone', ...manyFields() }, { apiKey: 'dock_wrong', ...manyFields() }, 'text']) {
      const answer = (await socket.emitWithAck('repo-operation', body)) as ErrorMessage;
      expect(answer.error.code).toBe('UNAUTHORIZED');
      expect(JSON.stringify(answer).length).toBeLessThan(1_000);
    }
  });

  it('is signed in by the first valid key of a message, and stays so', async () => {
    const alice = await station.createKey('alice');
    const bob = await station.createKey('bob');
    const { uid } = await dock(fixture('hello'), {}, alice);
    const socket = await station.socket({ apiKey: null });
    const wrong = await ask(socket, { operation: 'list', apiKey: 'wrong' });
    expect(wrong.error.code).toBe('UNAUTHORIZED');
    const list = async (apiKey?: string) => {
      const { result } = await ask(socket, { operation: 'list', apiKey });
      return (result.repositories as Repository[]).map((repository) => repository.uid);
    };
    expect(await list(alice)).toContain(uid);
    expect(await list()).toContain(uid);
    expect(await list(bob)).not.toContain(uid);
    expect(await list()).toContain(uid);
    const stillWrong = await ask(socket, { operation: 'list', apiKey: 'wrong' });
    expect(stillWrong.error.code).toBe('UNAUTHORIZED');
  });
});

describe('A message', () => {
  const malformed: [string, unknown][] = [
    ['nothing', undefined],
    ['null', null],
    ['text', 'clone'],
    ['a number', 5],
    ['a list', [1, 2]],
    ['an object without fields', {}],
    ['an unknown operation', { operation: 'fly' }],
    ['an operation that every object has', { operation: 'toString' }],
    ['an unknown field', { operation: 'list', branch: 'main' }],
    ['options for what has none', { operation: 'list', options: { a: 1 } }],
    ['a repository for what is about all', { operation: 'list', repoId: 'x' }],
    ['an unknown option', { operation: 'install', repoId: 'x', options: { force: true } }],
    ['options that are a list', { operation: 'install', repoId: 'x', options: [] }],
    ['a repoId that is a list', { operation: 'status', repoId: ['x'] }],
    ['a repoId that is an object', { operation: 'status', repoId: {} }],
    ['a repoId that is null', { operation: 'status', repoId: null }],
    ['no repoId', { operation: 'status' }],
    ['no repoUrl', { operation: 'clone' }],
    ['a URL that is none', { operation: 'clone', repoUrl: 'ext::sh -c id' }],
    ['no operationId', { operation: 'cancel' }],
    ['a key that is no text', { operation: 'list', apiKey: { toString: null } }],
    ['two megabytes', { operation: 'list', requestId: 'x'.repeat(2_000_000) }],
    ['bytes', { operation: 'list', requestId: Buffer.from('x') }],
  ];

  it.each(malformed)('of %s is answered once, with the code that REST has', async (_, body) => {
    const socket = await station.socket();
    const errors: ErrorMessage[] = [];
    const acknowledged: ErrorMessage[] = [];
    socket.on('repo-error', (message) => errors.push(message));
    const plain = socket as unknown as Socket;
    const acknowledge = (answer: ErrorMessage) => void acknowledged.push(answer);
    if (body === undefined) plain.emit('repo-operation', acknowledge);
    else plain.emit('repo-operation', body, acknowledge);
    plain.emit('repo-operation', body);
    await eventually('both messages are answered', () => errors.length === 2);
    await settled(socket);
    expect(acknowledged).toEqual([errors[0]]);
    expect(errors[0]?.error).toMatchObject({
      code: expect.stringMatching(/^(BAD_REQUEST|INVALID_URL|TOO_LARGE)$/) as string,
      message: expect.any(String) as string,
      retryable: false,
      suggestion: expect.any(String) as string,
      context: expect.any(Object) as object,
    });
    expect(errors[0]?.error.message).not.toContain('Internal');
    expect(socket.connected).toBe(true);
  });

  it('with more fields at fault than anybody reads is told of some, and how many there are', async () => {
    const socket = await station.socket();
    const { error } = await ask(socket, { operation: 'list', ...manyFields() });
    expect(error.code).toBe('BAD_REQUEST');
    expect(error.message).toMatch(/unknown field.*; and 39980 more$/);
    expect(JSON.stringify(error).length).toBeLessThan(10_000);
  });

  it.each([
    ['an event that there is not', 'repo-operations', { operation: 'list' }],
    ['a request id that is no text', 'repo-operation', { operation: 'list', requestId: 7 }],
  ])('of %s is answered as well', async (_, event, message) => {
    const socket = rawSocket({ auth: { apiKey: station.adminKey }, transports: ['websocket'] });
    await connected(socket);
    const answer = (await socket.timeout(5_000).emitWithAck(event, message)) as ErrorMessage;
    expect(answer.error.code).toBe('BAD_REQUEST');
    if ('requestId' in message) expect(answer.requestId).toBe('7');
  });

  it('that is nested without end is refused', async () => {
    const socket = rawSocket({ auth: { apiKey: station.adminKey }, transports: ['websocket'] });
    await connected(socket);
    const refused = new Promise<ErrorMessage>((resolve) => socket.once('repo-error', resolve));
    const nested = '['.repeat(400_000) + ']'.repeat(400_000);
    socket.io.engine.write(`2["repo-operation",{"operation":"run","repoId":"x","options":{"env":{"A":${nested}}}}]`);
    expect((await refused).error).toMatchObject({ code: 'BAD_REQUEST', retryable: false });
  });

  it('about an unknown repository or operation says so', async () => {
    const socket = await station.socket();
    const requestId = 'my-request';
    const status = await ask(socket, { operation: 'status', repoId: '../victim', requestId });
    expect(status).toMatchObject({
      operation: 'status',
      repoId: '../victim',
      requestId,
      error: { code: 'REPO_NOT_FOUND' },
    });
    const cancel = await ask(socket, { operation: 'cancel', options: { operationId: 'op_none' } });
    expect(cancel.error.code).toBe('OPERATION_NOT_FOUND');
    expect((await subscribe(socket, { repoId: '__proto__' })).error.code).toBe('REPO_NOT_FOUND');
  });

  it('is answered to its sender and to its acknowledgement with the same object', async () => {
    const { repoId } = await dock(fixture('hello'));
    const socket = await station.socket();
    const success = new Promise<SuccessMessage>((resolve) => socket.once('repo-success', resolve));
    const answer = await ask(socket, { operation: 'status', repoId, requestId: 'r1' });
    expect(answer).toMatchObject({ operation: 'status', repoId, requestId: 'r1', result: { state: 'cloned' } });
    expect(await success).toEqual(answer);
  });

  it('whose operation fails is answered with the error of the operation', async () => {
    const { url } = await git.createRepository('sockets/failing', { files: fixture('hello') });
    const socket = await station.socket();
    const { operationId, error } = await ask(socket, { operation: 'clone', repoUrl: url, options: { branch: 'none' } });
    expect(error.code).toBe('GIT_BRANCH_NOT_FOUND');
    const { result } = await ask(socket, { operation: 'operation', options: { operationId } });
    expect(result).toMatchObject({ operationId, status: 'failed', error });
  });

  it('behind a clone that failed finds no repository', async () => {
    const { url } = await git.createRepository('sockets/never', { files: fixture('hello') });
    const socket = await station.socket();
    const [clone, install, run] = await Promise.all([
      ask(socket, { operation: 'clone', repoUrl: url, options: { branch: 'none' } }),
      ask(socket, { operation: 'install', repoId: 'sockets-never' }),
      ask(socket, { operation: 'run', repoId: 'sockets-never' }),
    ]);
    expect([clone, install, run].map(({ error }) => error.code)).toEqual([
      'GIT_BRANCH_NOT_FOUND',
      'REPO_NOT_FOUND',
      'REPO_NOT_FOUND',
    ]);
  });

  it('that cancels is answered, and so is the one that is cancelled', async () => {
    const { repoId } = await dock({ 'package.json': packageJson(ENDLESS) });
    const socket = await station.socket();
    const progress = nextEvent(socket, 'repo-event', ({ uid, state }) => uid !== '' && state === 'running');
    const run = ask(socket, { operation: 'run', repoId, options: { script: 'wait', background: false } });
    const { operationId = '' } = await progress;
    const cancel = await ask(socket, { operation: 'cancel', options: { operationId } });
    expect(cancel).toMatchObject({ operation: 'cancel', operationId, result: { status: 'cancelled' } });
    expect(await run).toMatchObject({ operation: 'run', operationId, error: { code: 'CANCELLED' } });
    const { error } = await ask(socket, { operation: 'cancel', options: { operationId } });
    expect(error).toMatchObject({
      code: 'ALREADY_FINISHED',
      message: 'The operation has already finished: cancelled',
    });
  });

  it('whose sender has gone is carried out all the same', async () => {
    const { url } = await git.createRepository('sockets/left', { files: fixture('hello') });
    const socket = await station.socket();
    socket.emit('repo-operation', { operation: 'clone', repoUrl: url });
    const other = await station.socket();
    await nextEvent(other, 'repo-notification', ({ repoId }) => repoId === 'sockets-left');
    socket.close();
    await eventually('the clone has succeeded', async () => {
      const { body } = await station.api<{ operations: Operation[] }>('GET', '/operations');
      return body.result.operations.some((one) => one.repoId === 'sockets-left' && one.status === 'succeeded');
    });
  });
});

describe('The server', () => {
  it('survives frames that no client sends', async () => {
    const other = await station.socket();
    const pid = station.pid;
    for (const frame of [
      '2["run"',
      '51-["x",{"_placeholder":true,"num":10}]',
      '42["some","data"]',
      '2["__proto__",1]',
    ]) {
      const one = rawSocket({ auth: { apiKey: station.adminKey }, transports: ['websocket'] });
      await connected(one);
      one.io.engine.write(frame);
      one.io.engine.write('2["toString"]');
    }
    const socket = rawSocket({ auth: { apiKey: station.adminKey } });
    await connected(socket);
    for (const name of ['__proto__', 'toString', 'constructor', 'repo-nothing']) socket.emit(name, {});
    await settled(other);
    expect((await station.api('GET', '/health/live', undefined, { key: null })).status).toBe(200);
    expect(station.pid).toBe(pid);
    expect(station.output).not.toMatch(/unhandled|MaxListeners/i);
  });

  it('lets go of a client that goes on asking without reading an answer', async () => {
    const socket = rawSocket({ auth: { apiKey: station.adminKey }, transports: ['websocket'] });
    await connected(socket);
    const { ws } = socket.io.engine.transport as unknown as { ws: { pause(): void; _socket: { localPort: number } } };
    const port = ws._socket.localPort;
    expect(isConnected(port, station.port)).toBe(true);
    ws.pause();
    const asking = setInterval(() => {
      for (let times = 0; times < 100; times += 1)
        socket.emit('repo-operation', { operation: 'list', ...manyFields(20) });
    }, 50);
    const other = await station.socket();
    try {
      await eventually('the server has let go', () => !isConnected(port, station.port), 25_000);
    } finally {
      clearInterval(asking);
    }
    expect(await settled(other)).toMatchObject({ operation: 'list' });
  });

  it('outlives a hundred sockets that come, ask and go', async () => {
    for (let times = 0; times < 100; times += 1) {
      const socket = rawSocket({ auth: { apiKey: station.adminKey }, transports: ['websocket'] });
      await connected(socket);
      socket.emit('repo-operation', { operation: 'list' });
      socket.close();
    }
    await settled(await station.socket());
    expect(station.output).not.toMatch(/unhandled|MaxListeners/i);
  });
});

describe('Events', () => {
  it('tell everybody who may see the repository, but the sender of what they asked for', async () => {
    const key = await station.createKey('alice');
    const [sender, same, admin, stranger] = await Promise.all([
      station.socket({ apiKey: key }),
      station.socket({ apiKey: key }),
      station.socket(),
      station.createKey('eve').then((apiKey) => station.socket({ apiKey })),
    ]);
    const frames = [sender, same, admin, stranger].map(heard);
    const { url } = await git.createRepository('sockets/events', { files: fixture('hello') });
    const { uid, operationId } = await ask(sender, { operation: 'clone', repoUrl: url });
    await Promise.all([sender, same, admin, stranger].map(settled));
    const about = (index: number, event: string) =>
      (frames[index] ?? [])
        .filter((one) => one.event === event && one.payload.uid === uid)
        .map(({ payload }) => payload);

    const statuses = (index: number) =>
      (about(index, 'repo-notification') as unknown as RepoNotification[]).map(({ status }) => status);
    expect([0, 1, 2, 3].map(statuses)).toEqual([
      [],
      ['queued', 'running', 'succeeded'],
      ['queued', 'running', 'succeeded'],
      [],
    ]);
    expect(about(1, 'repo-notification')[0]).toMatchObject({
      operation: 'clone',
      operationId,
      by: 'alice',
      repoId: 'sockets-events',
    });
    for (const index of [0, 1, 2]) {
      expect(about(index, 'repo-event') as unknown as RepoEvent[]).toMatchObject([
        { type: 'state', state: 'cloned', previousState: 'cloning', operationId },
      ]);
    }
    expect((about(0, 'repo-progress') as unknown as RepoProgress[]).length).toBeGreaterThan(0);
    expect(about(1, 'repo-progress')).toEqual([]);
    expect(JSON.stringify(frames[3])).not.toContain(uid);
  });

  it('are not heard by strangers, whatever they subscribe to; shared ones are', async () => {
    const eve = await station.socket({ apiKey: await station.createKey('eve') });
    const { repoId, uid } = await dock(fixture('srv'), {}, await station.createKey('alice'));
    const frames = heard(eve);
    for (const id of [repoId, uid]) expect((await subscribe(eve, { repoId: id })).error.code).toBe('REPO_NOT_FOUND');
    await station.run(uid);
    await settled(eve);
    expect(frames.filter(({ event }) => event !== 'repo-error' && event !== 'repo-success')).toEqual([]);

    const event = nextEvent(eve, 'repo-event', (one) => one.uid === uid);
    await station.api('PATCH', `/repo/${uid}`, { visibility: 'shared' });
    await event;
    const logged = nextEvent(eve, 'repo-log', (one) => one.uid === uid);
    expect(await subscribe(eve, { repoId: uid, logs: true })).toMatchObject({ uid, missed: 0 });
    await logged;
    for (const operation of ['install', 'update', 'run', 'stop', 'unload']) {
      expect((await ask(eve, { operation, repoId: uid })).error.code).toBe('FORBIDDEN');
    }

    await station.api('PATCH', `/repo/${uid}`, { visibility: 'private' });
    await settled(eve);
    const after = heard(eve);
    await station.stop(uid);
    await settled(eve);
    expect(after.filter((frame) => frame.event !== 'repo-success')).toEqual([]); // the answer of `settled` itself
  });

  it('are numbered on to the last word about a repository that goes', async () => {
    const socket = await station.socket();
    const frames = heard(socket);
    const { repoId } = await dock(fixture('hello'));
    await station.unload(repoId);

    const { url } = await git.createRepository('sockets/ended', { files: fixture('hello') });
    const stall = git.stall('/sockets/ended');
    const last = nextEvent(
      socket,
      'repo-notification',
      (one) => one.repoId === 'sockets-ended' && one.operation === 'install' && one.status === 'failed',
      20_000,
    );
    const headers = { prefer: 'respond-async' };
    await station.clone(url, { branch: 'none' }, { headers });
    await station.install('sockets-ended', {}, { headers });
    stall.release();
    await last;
    await settled(socket);
    for (const id of [repoId, 'sockets-ended']) {
      const story = frames
        .filter(({ event, payload }) => /^repo-(event|notification)$/.test(event) && payload.repoId === id)
        .map(({ payload }) => ({ seq: Number(payload.seq), what: String(payload.type ?? payload.operation) }));
      expect(story.map(({ what }) => what)).toContain('unloaded');
      expect(story.at(-1)?.what).not.toBe('unloaded');
      expect(story).toEqual(story.toSorted((a, b) => a.seq - b.seq));
      expect(new Set(story.map(({ seq }) => seq)).size).toBe(story.length);
    }
  }, 60_000);

  it('tell of an app that goes with its repository that it has ended', async () => {
    const socket = await station.socket();
    const { repoId } = await dock(fixture('srv'));
    await station.run(repoId);
    const last = nextEvent(socket, 'repo-event', (event) => event.repoId === repoId && event.type === 'unloaded');
    await station.unload(repoId);
    expect(await last).toMatchObject({ state: 'stopped', app: { pid: null, ready: false } });
  });

  it('are sent again from a seq on', async () => {
    const { repoId, uid } = await dock(fixture('hello'));
    const socket = await station.socket();
    const seen: RepoEvent[] = [];
    socket.on('repo-event', (event) => void (event.uid === uid && seen.push(event)));
    await station.run(repoId);
    await eventually('the app has come and gone', () => seen.at(-1)?.type === 'app-exit');
    socket.close();

    const again = await station.socket();
    const replayed: RepoEvent[] = [];
    again.on('repo-event', (event) => replayed.push(event));
    const first = seen[0]?.seq ?? 0;
    const { seq, missed } = await subscribe(again, { repoId, sinceSeq: first });
    await settled(again);
    expect(missed).toBe(0);
    expect(seq).toBeGreaterThanOrEqual(seen.at(-1)?.seq ?? Infinity);
    expect(replayed).toEqual(seen.slice(1));
  });
});

describe('Logs', () => {
  it('come to subscribers from a cursor on, without a gap, until they unsubscribe', async () => {
    const { repoId, uid } = await dock(fixture('srv'));
    const { body } = await station.run(repoId);
    const socket = await station.socket();
    const batches: RepoLog[] = [];
    socket.on('repo-log', (batch) => batches.push(batch));
    const answer = await subscribe(socket, { repoId, logCursor: '0' });
    expect(answer).toMatchObject({ repoId, uid, logCursor: `${body.operationId}.0` });
    await eventually('some lines have come', () => batches.flatMap(({ lines }) => lines).length > 5);
    const lines = batches.flatMap((batch) => batch.lines);
    expect(lines.map(({ seq }) => seq)).toEqual(lines.map((_, index) => index + 1));
    expect(batches[0]).toMatchObject({ repoId, uid, source: 'app', operationId: body.operationId, dropped: 0 });

    await new Promise((resolve) => (socket as unknown as Socket).emit('repo-unsubscribe', { repoId }, resolve));
    const count = batches.length;
    const other = await station.socket();
    const more = nextEvent(other, 'repo-log');
    await subscribe(other, { repoId });
    await more;
    await settled(socket);
    expect(batches).toHaveLength(count);
    await station.stop(repoId);
  });

  it('are lost to a slow reader, who is told how many lines, and nobody else notices', async () => {
    const flood =
      'const line = "x".repeat(1000); const go = () => { while (process.stdout.write(line + "\\n")); process.stdout.once("drain", go); }; go();';
    const { repoId } = await dock({ 'package.json': packageJson({ start: 'node flood.js' }), 'flood.js': flood });
    const slow = rawSocket({ auth: { apiKey: station.adminKey }, transports: ['websocket'] });
    await connected(slow);
    const quick = await station.socket();
    await slow.emitWithAck('repo-subscribe', { repoId });
    await subscribe(quick, { repoId });
    let quickLines = 0;
    quick.on('repo-log', ({ lines, dropped }) => (quickLines += lines.length + dropped));
    const batches: RepoLog[] = [];
    slow.on('repo-log', (batch: RepoLog) => batches.push(batch));

    const transport = slow.io.engine.transport as unknown as { ws: { pause(): void; resume(): void } };
    transport.ws.pause();
    void station.run(repoId, { readyTimeoutMs: 0 });
    await eventually('the quick one has had many lines', () => quickLines > 50_000, 30_000);
    const started = Date.now();
    expect((await station.api('GET', '/health/live', undefined, { key: null })).status).toBe(200);
    expect(Date.now() - started).toBeLessThan(1000);
    transport.ws.resume();
    await eventually('the slow one is told what it has lost', () => batches.some(({ dropped }) => dropped > 0), 20_000);
    // What comes behind the last line says only of lines that are lost.
    const withLines = batches.slice(0, batches.findLastIndex(({ lines }) => lines.length > 0) + 1);
    const covered = withLines.reduce((sum, { lines, dropped }) => sum + lines.length + dropped, 0);
    expect(withLines.at(-1)?.lines.at(-1)?.seq).toBe(covered);
    await station.stop(repoId);
  }, 60_000);
});
