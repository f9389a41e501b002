import { once } from 'node:events';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { get, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { text as textOf } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { io, type Socket } from 'socket.io-client';
import type { RepoLog } from '../src/contracts/events.js';
import { MAX_LINE_CHARS, type LogLine } from '../src/contracts/log.js';
import { eventually } from './support/eventually.js';
import { packageJson, programs } from './support/fixtures.js';
import { bytesIn, LoadWatch } from './support/load-watch.js';
import { itInMatrix, sample } from './support/matrix.js';
import { useStation, type Kit } from './support/use-station.js';

interface LogPage {
  lines: LogLine[];
  nextCursor: string;
  dropped: number;
}

const MIB = 1024 * 1024;
const BUDGET = 2 * MIB;
const OPTIONS = { LOG_MAX_MB: '1', LOG_FILES: '2' };
const confined = useStation({ env: { ...OPTIONS, SANDBOX: 'bubblewrap' } });
let kit: Kit = confined;
let docked = 0;

async function dock(scripts: Record<string, string>, files: Record<string, string> = {}) {
  const { url } = await kit.git.createRepository(`logs/app${++docked}`, {
    files: { 'package.json': packageJson(scripts, { type: 'module' }), ...programs(), ...files },
  });
  return (await kit.station.clone(url)).body;
}

const read = async (path: string) => {
  const { status, body } = await kit.station.api<LogPage>('GET', path);
  expect(status).toBe(200);
  return body.result;
};
const logOf = (repoId: string, query = '') => read(`/repo/${repoId}/logs?${query}`);
const logOfOperation = (operationId: string) => read(`/operations/${operationId}/logs`);
const texts = ({ lines }: LogPage) => lines.map(({ text }) => text);
const bytesOf = (uid: string) => bytesIn(join(kit.station.dataDir, 'logs', uid));

/** The log as server-sent events. */
async function follow(path: string, headers: Record<string, string> = {}): Promise<IncomingMessage> {
  const authorization = `Bearer ${kit.station.adminKey}`;
  const request = get(kit.station.url + path, {
    headers: { authorization, accept: 'text/event-stream', ...headers },
  });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  return response.setEncoding('utf8');
}

/** A plain client, whose transport can be paused. */
async function subscriber(repoId: string, logCursor?: string) {
  const socket: Socket = io(kit.station.url, {
    auth: { apiKey: kit.station.adminKey },
    transports: ['websocket'],
    forceNew: true,
    reconnection: false,
  });
  await new Promise<void>((resolve) => socket.once('connect', resolve));
  const batches: RepoLog[] = [];
  socket.on('repo-log', (batch: RepoLog) => void (batch.source === 'app' && batches.push(batch)));
  await socket.emitWithAck('repo-subscribe', { repoId, logCursor });
  const { ws } = socket.io.engine.transport as unknown as { ws: { pause(): void; resume(): void } };
  const covered = () => batches.reduce((sum, { lines, dropped }) => sum + lines.length + dropped, 0);
  return { batches, covered, pause: () => ws.pause(), resume: () => ws.resume(), close: () => socket.close() };
}

describe('The log of an app', () => {
  it('has whole lines of whole characters, whatever it was that was written', async () => {
    const { repoId } = await dock({ start: 'node says-anything.js' });
    await kit.station.run(repoId, { background: false });
    const page = await logOf(repoId);
    const lines = page.lines.filter(({ stream }) => stream !== 'system');
    expect(lines.find(({ stream }) => stream === 'stderr')?.text).toBe('err');
    const [out, characters, colour, progress, bytes, long, last] = lines
      .filter(({ stream }) => stream === 'stdout')
      .map(({ text }) => text);
    expect([out, characters, colour, progress]).toEqual(['out', 'äöü 🚢', '\u001b[31mred\u001b[0m', '100 %']);
    expect(bytes).toMatch(/\u007f\ufffd+$/);
    expect(long).toBe(`${'x'.repeat(MAX_LINE_CHARS)} [truncated: ${20_000_000 - MAX_LINE_CHARS} more characters]`);
    expect(last).toBe('last, without a line end');
    expect(page.lines.map(({ seq }) => seq)).toEqual(page.lines.map((_, index) => index + 1));
    expect(page.dropped).toBe(0);
  });

  it('is valid JSON in valid UTF-8, and so are its events', async () => {
    const { repoId } = await dock({ start: `node -e "process.stdout.write(Buffer.from([0xc3, 0x28, 0, 0x80, 10]))"` });
    await kit.station.run(repoId, { background: false });
    for (const accept of ['application/json', 'text/event-stream']) {
      const headers = { authorization: `Bearer ${kit.station.adminKey}`, accept };
      const response = await fetch(`${kit.station.url}/repo/${repoId}/logs`, { headers });
      const decoder = new TextDecoder('utf-8', { fatal: true });
      expect(decoder.decode(await response.arrayBuffer())).toContain('"text":"\ufffd(\\u0000\ufffd"');
    }
  });

  it.each([
    ['longer', 'seq 100', 'echo first'],
    ['shorter', 'echo x', 'echo first; seq 100'],
  ])(
    'is read from its start where the cursor comes from a %s one, of an earlier run, whose lost lines are told',
    async (_, earlier, later) => {
      const { repoId } = await dock({ earlier, later });
      await kit.station.run(repoId, { script: 'earlier', background: false });
      const { nextCursor, lines } = await logOf(repoId, 'tail=1000');
      await kit.station.run(repoId, { script: 'later', background: false });
      const page = await logOf(repoId, `cursor=${nextCursor}`);
      expect([texts(page).includes('first'), page.dropped]).toEqual([true, 0]);
      expect(await logOf(repoId, `cursor=${nextCursor.replace(/\d+$/, '0')}`)).toMatchObject({ dropped: lines.length });
      const events = await follow(`/repo/${repoId}/logs`, { 'last-event-id': nextCursor });
      expect(await textOf(events)).toContain('"text":"first"');
    },
  );
});

describe('The logs of a repository', () => {
  const unconfined = useStation({ env: { ...OPTIONS, SANDBOX: 'none' } });
  beforeAll(() => {
    kit = unconfined;
  });
  afterAll(() => {
    kit = confined;
  });

  it('have that of the latest start, also when an update has started the app', async () => {
    const repository = await kit.git.createRepository('logs/updated', {
      files: { 'package.json': packageJson({ start: 'cat version; node waits.js' }), ...programs(), version: 'one\n' },
    });
    const { repoId } = (await kit.station.clone(repository.url)).body;
    await kit.station.run(repoId, { ready: { log: 'up' } });
    await repository.commit({ version: 'two\n' });
    const before = await subscriber(repoId);
    expect((await kit.station.update(repoId, { restart: true })).body.result.restarted).toBe(true);
    const after = await subscriber(repoId, '0');
    for (const reader of [before, after]) {
      const hasTold = (text: string) => reader.batches.some((page) => page.lines.some((line) => line.text === text));
      await eventually('a subscriber is sent it, too', () => hasTold('two') && hasTold('up'));
      reader.close();
    }
    await kit.station.stop(repoId);
    expect(texts(await logOf(repoId))).toEqual(expect.arrayContaining(['two', 'up']));
  }, 60_000);

  /** Fails where there is a file of that name, else writes a MiB. */
  const INSTALLS = `import { existsSync } from 'node:fs';
    if (existsSync('fails')) { console.error('why it failed'); process.exit(1); }
    for (let line = 0; line < 10_000; line += 1) console.log('x'.repeat(100));`;

  itInMatrix(
    'never take more than their budget; the oldest go first, and say so',
    async () => {
      const scripts = { start: 'node waits.js', postinstall: 'node installs.js' };
      const { repoId, uid } = await dock(scripts, { 'installs.js': INSTALLS });
      const mark = join(kit.station.workspaceDir, repoId, 'fails');
      const installs: string[] = [];
      const install = async () => void installs.push((await kit.station.install(repoId)).body.operationId);
      await install();
      writeFileSync(mark, '');
      const { body: failed } = await kit.station.install(repoId);
      expect(failed.code).toBe('INSTALL_FAILED');
      const cause = await logOfOperation(failed.operationId);
      expect(texts(cause)).toContain('why it failed');
      rmSync(mark);
      await install();
      await kit.station.run(repoId, { readyTimeoutMs: 0 });
      await eventually('the app has said something', async () => texts(await logOf(repoId)).includes('up'));
      const app = await logOf(repoId);
      for (let times = 0; times < 3; times += 1) await install();

      await eventually('the logs are within their budget', () => bytesOf(uid) <= BUDGET);
      const [first = '', ...others] = installs;
      const gone = await logOfOperation(first);
      expect(gone).toEqual({
        lines: [],
        nextCursor: `${first}.${gone.dropped}`,
        dropped: expect.any(Number) as number,
      });
      expect(gone.dropped).toBeGreaterThan(10_000);
      expect(texts(await logOfOperation(others.at(-1) ?? ''))).toContain('x'.repeat(100));
      expect(await logOfOperation(failed.operationId)).toEqual(cause);
      expect((await logOf(repoId)).lines).toEqual(app.lines);
      expect((await kit.station.operation(first)).body.result.status).toBe('succeeded');
      expect(await textOf(await follow(`/operations/${first}/logs`))).toContain(
        `event: dropped\ndata: {"dropped":${gone.dropped}}\n\n`,
      );
      await kit.station.unload(repoId);
      await eventually('little is left of them', () => bytesOf(uid) <= 256 * 1024);
      expect(await logOfOperation(failed.operationId)).toEqual(cause);
    },
    60_000,
  );

  it('are removed once nobody knows the repository', async () => {
    const stray = join(kit.station.dataDir, 'logs', 'r_stray');
    mkdirSync(join(stray, 'op_stray'), { recursive: true });
    const { repoId, uid } = await dock({ start: 'echo said' });
    await kit.station.run(repoId, { background: false });
    await kit.station.unload(repoId);
    await kit.station.restart();
    expect([existsSync(stray), existsSync(join(kit.station.dataDir, 'logs', uid))]).toEqual([false, true]);
  }, 60_000);
});

describe('A flood of output', () => {
  const FLOOD_MS = 2_000;
  const PROMPT_MS = 1_000;

  it.each(sample(['anything', 'lines']))(
    '(%s) costs bounded disk and memory, and delays nobody',
    async (script) => {
      const { repoId, uid } = await dock({
        lines: 'yes a line as long as those that servers usually write about a request',
        anything: 'node floods-with-anything.js',
      });
      const flood = { script, readyTimeoutMs: 0 };
      await kit.station.run(repoId, flood); // what is loaded once only is loaded
      await kit.station.stop(repoId);

      const [quick, stalled] = [await subscriber(repoId), await subscriber(repoId)];
      const watch = new LoadWatch(kit.station, uid);
      await kit.station.run(repoId, flood);
      const events = await follow(`/repo/${repoId}/logs?tail=0`);
      events.pause();
      stalled.pause();
      await eventually('it has begun', async () => (await logOf(repoId, 'tail=100')).lines.length === 100, 15_000);
      await delay(FLOOD_MS); // the length of the flood is what is tested
      const asked = performance.now();
      expect((await logOf(repoId, 'tail=100')).lines).toHaveLength(100);
      expect(performance.now() - asked).toBeLessThan(PROMPT_MS);
      const { liveness, memoryGrowth, logBytes } = await watch.end();
      expect(liveness.max).toBeLessThan(PROMPT_MS);
      expect(memoryGrowth).toBeLessThan(100 * MIB);
      expect(logBytes).toBeLessThan(2 * BUDGET); // while room is being made

      stalled.resume();
      const told = () => stalled.batches.some(({ dropped }) => dropped > 0);
      await eventually('the stalled reader is told how many lines it has lost', told, 20_000);
      let said = '';
      events.on('data', (chunk: string) => (said += chunk)).resume();
      await eventually('and so is the one of server-sent events', () => said.includes('event: dropped'), 20_000);
      await kit.station.stop(repoId);
      for (const { batches, covered } of [quick, stalled]) {
        const last = () => batches.findLast(({ lines }) => lines.length > 0)?.lines.at(-1)?.seq;
        await eventually('every line has come or is counted as lost', () => last() === covered());
      }
      await eventually('the logs are within their budget', () => bytesOf(uid) <= BUDGET);
      for (const reader of [quick, stalled]) reader.close();
      events.destroy();
    },
    60_000,
  );
});
