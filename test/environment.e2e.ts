import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Socket } from 'socket.io-client';
import type { LogLine } from '../src/contracts/log.js';
import { eventually } from './support/eventually.js';
import { packageJson } from './support/fixtures.js';
import { ask } from './support/station-socket.js';
import { useStation } from './support/use-station.js';

const OF_THE_STATION = 'S3CR3T-of-the-station';
const OF_THE_CALLER = 'S3CR3T-of-the-caller';

const kit = useStation({
  env: {
    PATREON_CLIENT_ID: 'client',
    PATREON_CLIENT_SECRET: OF_THE_STATION,
    PATREON_CAMPAIGN_ID: '1',
    PATREON_WEBHOOK_SECRET: OF_THE_STATION,
    SECRETS_KEY: 'a1'.repeat(32),
    KUBERNETES_SERVICE_HOST: '10.0.0.1',
    DEBUG: 'repo-manager:*',
    NODE_ENV: 'production',
    NODE_NO_WARNINGS: '1',
    npm_config__authToken: OF_THE_STATION,
    GIT_AUTHOR_NAME: OF_THE_STATION,
    AWS_SECRET_ACCESS_KEY: OF_THE_STATION,
  },
});
let docked = 0;

/** Prints its variables as JSON, and then answers every request with the one named API_KEY. */
const APP = `console.log(JSON.stringify(process.env));
  if (process.argv[2] === 'serve') {
    require('node:http').createServer((_, response) => response.end(String(process.env.API_KEY))).listen(process.env.PORT);
  }`;

/** Prints how many characters its variable LONG has, and how many variables like A1 there are. */
const MEASURE = `const names = Object.keys(process.env).filter((name) => /^A\\d+$/.test(name));
  console.log(process.env.LONG.length, names.length);`;

async function dock(fields: object = {}) {
  const scripts = {
    start: 'node app.js serve',
    print: 'node app.js',
    postinstall: 'node app.js',
    measure: 'node measure.js',
  };
  const files = { 'package.json': packageJson(scripts, fields), 'app.js': APP, 'measure.js': MEASURE };
  const { url } = await kit.git.createRepository(`environment/app${++docked}`, { files });
  return (await kit.station.clone(url)).body;
}

async function environmentIn(logPath: string): Promise<Record<string, string>> {
  const { body } = await kit.station.api<{ lines: LogLine[] }>('GET', logPath);
  const printed = body.result.lines.find(({ text }) => text.startsWith('{'))?.text;
  return JSON.parse(printed ?? '{}') as Record<string, string>;
}

describe('The environment of a repository', () => {
  it('has what the caller gave an app, PORT, and nothing of the server', async () => {
    const { repoId } = await dock();
    const env = { NODE_ENV: 'development', A_B: 'ä="$x"\n', EMPTY: '' };
    await kit.station.run(repoId, { script: 'print', background: false, env });
    expectOnly(await environmentIn(`/repo/${repoId}/logs`), env);
    await kit.station.run(repoId, { script: 'print', background: false, port: 4321 });
    expectOnly(await environmentIn(`/repo/${repoId}/logs`), { PORT: '4321' });
  });

  it('holds values as long as the system takes them, as many as a request, and those of package.json', async () => {
    const config = Array.from({ length: 900 }, () => 'x'.repeat(100));
    const { repoId } = await dock({ config });
    const measure = { script: 'measure', background: false };
    const value = 'ä'.repeat(65_000);
    const many = Object.fromEntries(Array.from({ length: 990 }, (_, index) => [`A${index}`, 'x']));
    const env = { LONG: value, B: value, C: value, D: value, E: value, F: value, ...many };
    expect((await kit.station.run(repoId, { ...measure, env })).body.result.output).toBe('65000 990\n');
    const tooLong = await kit.station.run(repoId, { env: { LONG: value + value } });
    expect([tooLong.status, tooLong.body.code]).toEqual([400, 'BAD_REQUEST']);
    const tooMuch = await kit.station.run(repoId, { env: { ...env, G: value, H: value } });
    expect([tooMuch.status, tooMuch.body.code]).toEqual([413, 'TOO_LARGE']);
  });

  it('has nothing of the server in an install, either', async () => {
    const { repoId } = await dock();
    expect((await kit.station.install(repoId)).status).toBe(200);
    const seen = await environmentIn(`/repo/${repoId}/logs?source=install`);
    expect(seen.npm_lifecycle_event).toBe('postinstall');
    expectOnly(seen, {});
  });

  /** The server runs with every variable that the tests do: none of them but those of the machine may come through. */
  function expectOnly(seen: Record<string, string>, given: Record<string, string>): void {
    expect(seen).toMatchObject(given);
    const text = JSON.stringify(seen);
    for (const secret of [OF_THE_STATION, kit.station.adminKey, 'a1a1a1']) {
      expect(text).not.toContain(secret);
    }
    const alien =
      /^(KUBERNETES|PATREON|AWS|SECRETS|ADMIN|GIT_AUTHOR|DEBUG|NODE_NO|DATA_DIR|WORKSPACE_DIR|MAX_|LOG_|SSH|SUDO|XDG)/;
    expect(Object.keys(seen).filter((name) => alien.test(name))).toEqual([]);
    if (given.NODE_ENV === undefined) expect(seen).not.toHaveProperty('NODE_ENV');
  }
});

describe('The values that a caller gives', () => {
  it('are found nowhere again, but by the app', async () => {
    const { station } = kit;
    const { repoId, uid } = await dock();
    const socket = await station.socket();
    const frames: unknown[] = [];
    (socket as unknown as Socket).onAny((...frame: unknown[]) => frames.push(frame));
    await new Promise((resolve) => socket.emit('repo-subscribe', { repoId, logs: false }, resolve));
    const options = { env: { API_KEY: OF_THE_CALLER }, restartPolicy: 'always' };

    const answers: unknown[] = [
      // Refused ones first.
      await station.run(repoId, { env: { API_KEY: [OF_THE_CALLER] } }),
      await station.run(repoId, { env: OF_THE_CALLER }),
      await station.run(repoId, { env: { PATH: OF_THE_CALLER } }),
      await station.run(repoId, { env: { API_KEY: `${OF_THE_CALLER}\0` } }),
      await station.run(repoId, { ...options, environment: { API_KEY: OF_THE_CALLER } }),
      await station.run(repoId, { ...options, script: 'no-such' }),
      await malformed(`{"env": {"API_KEY": ${OF_THE_CALLER}}}`, repoId),
      await ask(socket, { operation: 'run', repoId, options: { ...options, script: 'no-such' } }),
      await ask(socket, { operation: 'run', repoId, options: { env: { LD_PRELOAD: OF_THE_CALLER } } }),
    ];
    const headers = { 'idempotency-key': 'once' };
    const running = await station.run(repoId, options, { headers });
    expect(running.body.result.ready).toBe(true);
    answers.push(running, await station.run(repoId, options, { headers }));
    for (const path of [
      '/repo/list',
      `/repo/${uid}`,
      `/repo/${uid}/status`,
      '/operations',
      `/repo/${uid}/operations`,
    ]) {
      answers.push(await station.api('GET', path));
    }
    answers.push(await station.operation(running.body.operationId), await station.api('GET', '/health'));

    await station.kill('SIGKILL');
    expect(filesWith(OF_THE_CALLER, uid)).toEqual([]);
    await station.restart();
    const app = await eventually('the app is back', async () => {
      const { result } = (await station.entry(repoId)).body;
      return result.app?.ready ? result.app : undefined;
    });
    const page = await fetch(String(app.url), { headers: { connection: 'close' } });
    expect(await page.text()).toBe(OF_THE_CALLER);

    for (const told of [...answers, ...frames, ...station.output.split('\n')]) {
      expect(JSON.stringify(told)).not.toContain(OF_THE_CALLER);
    }
    expect(frames.length).toBeGreaterThan(0);
    expect(station.output).toContain('repo-manager:');
    await station.unload(repoId);
  }, 60_000);

  async function malformed(body: string, repoId: string): Promise<unknown> {
    const response = await fetch(`${kit.station.url}/repo/${repoId}/run`, {
      method: 'POST',
      headers: { authorization: `Bearer ${kit.station.adminKey}`, 'content-type': 'application/json' },
      body,
    });
    const answer = (await response.json()) as Record<string, unknown>;
    expect(answer).toMatchObject({ status: 400, code: 'BAD_REQUEST', detail: 'body: expected JSON' });
    return answer;
  }

  /** All that the station has written, but the output of the app, which says what it likes. */
  function filesWith(secret: string, uid: string): string[] {
    const output = join(kit.station.dataDir, 'logs', uid);
    return [kit.station.dataDir, kit.station.workspaceDir]
      .flatMap((folder) => filesBelow(folder))
      .filter((path) => !path.startsWith(output))
      .filter((path) => {
        const bytes = readFileSync(path);
        return bytes.includes(secret) || bytes.includes(Buffer.from(secret).toString('base64').slice(0, -4));
      });
  }

  /** Links are not followed: the toolchains are one. */
  const filesBelow = (folder: string): string[] =>
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((found) => found.isFile())
      .map((file) => join(file.parentPath, file.name));
});
