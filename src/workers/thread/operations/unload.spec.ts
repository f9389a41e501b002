import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { TestThread } from '../../../../test/support/operation-thread.js';
import { unload } from './unload.js';

const MEGABYTE = 1024 * 1024;
let thread: TestThread;
let outside: string;

beforeEach(() => {
  thread = new TestThread({ 'package.json': {}, 'src/index.js': '' });
  outside = mkdtempSync(join(tmpdir(), 'outside-'));
});

afterEach(async () => {
  rmSync(outside, { recursive: true, force: true });
  await thread.dispose();
});

const folders = () => Object.values(thread.paths);

it('removes workspace, home and staging folder, and tells the bytes that it has freed', async () => {
  const { workspace, home, staging } = thread.paths;
  mkdirSync(home);
  mkdirSync(staging);
  writeFileSync(join(workspace, 'big'), Buffer.alloc(2 * MEGABYTE, 1));
  linkSync(join(workspace, 'big'), join(home, 'the-same'));
  writeFileSync(join(home, 'cache'), Buffer.alloc(MEGABYTE, 1));

  const { freedBytes } = await unload({}, thread.next());

  expect(folders().filter((folder) => existsSync(folder))).toEqual([]);
  expect(freedBytes).toBeGreaterThanOrEqual(3 * MEGABYTE);
  expect(freedBytes).toBeLessThan(4 * MEGABYTE);
});

it('succeeds when nothing is there', async () => {
  rmSync(thread.paths.workspace, { recursive: true });
  expect(await unload({}, thread.next())).toEqual({ freedBytes: 0 });
});

it('removes links, and neither removes nor counts what they lead to', async () => {
  writeFileSync(join(outside, 'keep.txt'), Buffer.alloc(8 * MEGABYTE, 1));
  symlinkSync(outside, join(thread.paths.workspace, 'node_modules'));
  symlinkSync(join(outside, 'keep.txt'), join(thread.paths.workspace, 'file'));

  const { freedBytes } = await unload({}, thread.next());

  expect(existsSync(join(outside, 'keep.txt'))).toBe(true);
  expect(freedBytes).toBeLessThan(MEGABYTE);
});

it('removes what lies in folders without write permission', async () => {
  thread.write({ 'go/pkg/mod/file': '' });
  for (const folder of ['go/pkg/mod', 'go/pkg']) chmodSync(join(thread.paths.workspace, folder), 0o555);

  await unload({}, thread.next());

  expect(existsSync(thread.paths.workspace)).toBe(false);
});

it('removes folders that are nested deeper than a path may be long', async () => {
  const script = "for (let i = 0; i < 30; i++) { fs.mkdirSync('d'.repeat(200)); process.chdir('d'.repeat(200)); }";
  execFileSync(process.execPath, ['-e', script], { cwd: thread.paths.workspace });

  await unload({}, thread.next());

  expect(existsSync(thread.paths.workspace)).toBe(false);
});

it('removes a workspace into which a program still writes for a while', async () => {
  const target = join(thread.paths.workspace, 'cache', 'deep', 'file');
  const script = `
    const end = Date.now() + 500;
    console.log('writing');
    let count = 0;
    while (Date.now() < end) {
      fs.mkdirSync(${JSON.stringify(dirname(target))}, { recursive: true });
      try { fs.writeFileSync(${JSON.stringify(target)} + count++, ''); } catch {}
    }`;
  const writer = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(writer.stdout, 'data');
  const ended = once(writer, 'exit');

  await unload({}, thread.next());

  await ended;
  await unload({}, thread.next());
  expect(existsSync(thread.paths.workspace)).toBe(false);
});

it('ends with the reason of an abort', async () => {
  const reason = new Error('cancelled');
  thread.cancellation.abort(reason);
  await expect(unload({}, thread.next())).rejects.toBe(reason);
});
