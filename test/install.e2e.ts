import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { LogLine } from '../src/contracts/log.js';
import { eventually } from './support/eventually.js';
import { packageJson } from './support/fixtures.js';
import type { GitFile, GitRepository } from './support/git-repository.js';
import { bytesIn, LoadWatch } from './support/load-watch.js';
import { commandLine, processesMentioning } from './support/processes.mjs';
import { stagedOf } from './support/traces.js';
import { useStation } from './support/use-station.js';

const TIMEOUT_MS = 6_000;
const LOG_MAX_MB = 1;
const LOG_FILES = 2;
const SECRET = 'S3CR3T-of-the-station';
const MIB = 1024 * 1024;

interface LogPage {
  lines: LogLine[];
  dropped: number;
}

/** A dependency that needs no registry. */
const BUILD_TOOL = {
  'build-tool/package.json': JSON.stringify({ name: 'build-tool', version: '1.0.0', main: 'index.js' }),
  'build-tool/index.js': 'console.log(`built with NODE_ENV ${process.env.NODE_ENV}`);',
};

describe('an install', () => {
  const kit = useStation({
    env: {
      NODE_ENV: 'production',
      npm_config_omit: 'dev',
      ADMIN_TOKEN: SECRET,
      WORKER_TIMEOUT: undefined,
      LOG_MAX_MB: String(LOG_MAX_MB),
      LOG_FILES: String(LOG_FILES),
    },
  });
  let docked = 0;

  async function dock(scripts: Record<string, string>, more: object = {}, files: Record<string, GitFile> = {}) {
    const repository = await kit.git.createRepository(`install/app${++docked}`, {
      files: { 'package.json': packageJson(scripts, more), ...files },
    });
    const { body } = await kit.station.clone(repository.url);
    return { ...body, repository };
  }

  const log = async (repoId: string) =>
    (await kit.station.api<LogPage>('GET', `/repo/${repoId}/logs?source=install&tail=1000`)).body.result;

  it('has dev dependencies in, whatever NODE_ENV the station has, which no script is given', async () => {
    const { repoId } = await dock(
      { build: `node -e "require('build-tool')"` },
      { devDependencies: { 'build-tool': 'file:./build-tool' } },
      BUILD_TOOL,
    );
    const build = { script: 'build', background: false };
    expect((await kit.station.run(repoId, build)).body.code).toBe('DEPENDENCIES_NOT_INSTALLED');
    expect((await kit.station.install(repoId)).status).toBe(200);
    expect((await kit.station.run(repoId, build)).body.result.output).toBe('built with NODE_ENV undefined\n');
    const env = { NODE_ENV: 'development' };
    expect((await kit.station.run(repoId, { ...build, env })).body.result.output).toContain('NODE_ENV development');

    expect((await kit.station.install(repoId, { production: true })).status).toBe(200);
    expect((await kit.station.run(repoId, build)).body.result.exitCode).not.toBe(0);
  }, 60_000);

  it('shows its scripts nothing of the station', async () => {
    const { repoId } = await dock({ postinstall: 'env; npm config get omit' });
    expect((await kit.station.install(repoId)).status).toBe(200);
    const output = (await log(repoId)).lines.map(({ text }) => text).join('\n');
    expect(output).toMatch(/^npm_lifecycle_event=postinstall$/m);
    expect(output).not.toMatch(/S3CR3T|ADMIN_|PATREON|DATA_DIR|NODE_ENV=/);
    expect(output).not.toContain(kit.station.adminKey);
  }, 60_000);

  it('is not held up by a script that asks for input', async () => {
    const { repoId } = await dock({ postinstall: 'cat; read answer </dev/tty || echo nobody answers' });
    expect((await kit.station.install(repoId)).status).toBe(200);
    expect((await log(repoId)).lines.map(({ text }) => text)).toContain('nobody answers');
  });

  it('that writes 50 MB costs the station little memory, and keeps the last lines of a bounded log', async () => {
    const { repoId, uid } = await dock({ postinstall: 'node writes.js' }, {}, { 'writes.js': WRITES_50_MB });
    const watch = new LoadWatch(kit.station);
    const { status, body } = await kit.station.install(repoId);
    expect(status).toBe(200);
    expect((await watch.end()).memoryGrowth).toBeLessThan(100 * MIB);

    expect(bytesIn(join(kit.station.dataDir, 'logs', uid))).toBeLessThanOrEqual(LOG_MAX_MB * LOG_FILES * MIB);
    const { lines } = await log(repoId);
    const texts = lines.map(({ text }) => text);
    const long = texts.findIndex((text) => text.endsWith(`[truncated: ${5_000_000 - 16_384} more characters]`));
    expect(texts.slice(long + 1, long + 3)).toEqual(['after the long line', 'the last line']);
    const first = await kit.station.api<LogPage>('GET', `/operations/${body.operationId}/logs?cursor=0`);
    expect(first.body.result.dropped).toBe(Number(first.body.result.lines[0]?.seq) - 1);
    expect(first.body.result.dropped).toBeGreaterThan(1_000);
  }, 60_000);

  it('whose script fails says with what, and can be tried again', async () => {
    const { repoId, repository } = await dock({ postinstall: 'node fails.js' }, {}, { 'fails.js': FAILS });
    const { status, body } = await kit.station.install(repoId);
    expect([status, body]).toMatchObject([
      422,
      { code: 'INSTALL_FAILED', operation: 'install', context: { exitCode: 3 } },
    ]);
    expect(body.context.lastLines).toEqual(expect.arrayContaining(['line 29', 'line 30']));
    expect((await kit.station.entry(repoId)).body.result).toMatchObject({
      state: 'error',
      stateReason: { code: 'INSTALL_FAILED' },
    });
    expect((await kit.station.operation(body.operationId)).body.result.error).toMatchObject({ code: 'INSTALL_FAILED' });

    await repository.commit({ 'fails.js': '' });
    await kit.station.update(repoId);
    expect((await kit.station.install(repoId)).status).toBe(200);
    expect((await kit.station.entry(repoId)).body.result.state).toBe('ready');
  }, 60_000);
});

describe('an operation that takes too long', () => {
  const kit = useStation({ env: { WORKER_TIMEOUT: String(TIMEOUT_MS) } });
  let repository: GitRepository;
  beforeAll(async () => {
    repository = await kit.git.createRepository('slow/app', {
      files: {
        'package.json': packageJson({ postinstall: 'test -e tried || node hangs.js' }),
        'hangs.js': HANGS,
      },
    });
  });

  const processes = () => processesMentioning(kit.station.workspaceDir).filter((pid) => pid !== kit.station.pid);

  function expectTimeOut(beganAt: number): void {
    const took = performance.now() - beganAt;
    expect(took).toBeGreaterThanOrEqual(TIMEOUT_MS);
    expect(took).toBeLessThan(2 * TIMEOUT_MS);
    expect(processes().map(commandLine)).toEqual([]);
  }

  it('when it is an install, leaves no process behind, and the repository can be used', async () => {
    const { repoId } = (await kit.station.clone(repository.url)).body;
    const beganAt = performance.now();
    const { status, body } = await kit.station.install(repoId);
    expect([status, body]).toMatchObject([504, { code: 'TIMED_OUT', context: { timeoutMs: TIMEOUT_MS } }]);
    expectTimeOut(beganAt);
    expect(await log(body.operationId)).toContain('hangs');
    expect((await kit.station.install(repoId)).status).toBe(200);
  }, 60_000);

  it('when it is a clone, leaves nothing at all', async () => {
    const stall = kit.git.stall('/slow/app/git-upload-pack');
    const beganAt = performance.now();
    const cloning = kit.station.clone(repository.url, { repoId: 'stalled' });
    await stall.reached;
    expect(processes()).not.toEqual([]);
    const { status, body } = await cloning;
    expect([status, body.code]).toEqual([504, 'TIMED_OUT']);
    expectTimeOut(beganAt);
    stall.release();
    expect((await kit.station.entry('stalled')).status).toBe(404);
    expect(readdirSync(kit.station.workspaceDir)).not.toContain('stalled');
    await eventually('its beginnings are removed', () => stagedOf(kit.station).length === 0);
    expect((await kit.station.clone(repository.url, { repoId: 'stalled' })).status).toBe(201);
  }, 60_000);

  async function log(operationId: string): Promise<string[]> {
    const { body } = await kit.station.api<LogPage>('GET', `/operations/${operationId}/logs`);
    return body.result.lines.map(({ text }) => text);
  }
});

/** Many lines of 1 kB, and one of 5 MB near the end. */
const WRITES_50_MB = `
const { writeSync } = require('node:fs');
const write = (text) => {
  for (let bytes = Buffer.from(text), sent = 0; sent < bytes.length; ) {
    try { sent += writeSync(2, bytes, sent); } catch (error) { if (error.code !== 'EAGAIN') throw error; }
  }
};
for (let line = 0; line < 45_000; line += 1) write('x'.repeat(999) + '\\n');
write('y'.repeat(5_000_000) + '\\n');
write('after the long line\\nthe last line\\n');`;

const FAILS = `
for (let line = 1; line <= 30; line += 1) console.error('line ' + line);
process.exitCode = 3;`;

/** Ignores SIGTERM, in the foreground and as a daemon; only the first time. */
const HANGS = `
require('node:fs').writeFileSync('tried', '');
process.on('SIGTERM', () => undefined);
setInterval(() => undefined, 1_000);
if (!process.argv[2]) {
  require('node:child_process').spawn(process.execPath, [__filename, 'daemon'], { detached: true, stdio: 'ignore' });
}
console.log('hangs');`;
