import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readInside } from './read-inside.js';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'read-inside-'));
  mkdirSync(join(root, 'workspace'));
});
afterEach(() => rmSync(root, { recursive: true }));

const read = (name: string) => readInside(join(root, 'workspace'), name, 100)?.toString();

it('reads a file, also through a link that stays inside, and knows when there is none', () => {
  writeFileSync(join(root, 'workspace', 'file'), 'text');
  symlinkSync('file', join(root, 'workspace', 'link'));
  expect([read('file'), read('link'), read('none')]).toEqual(['text', 'text', undefined]);
});

it('refuses what lies outside, and what is no file, before it is opened', () => {
  writeFileSync(join(root, 'secret'), 'secret');
  symlinkSync('../secret', join(root, 'workspace', 'out'));
  symlinkSync('/dev/tty', join(root, 'workspace', 'device'));
  execFileSync('mkfifo', [join(root, 'workspace', 'pipe')]);
  expect(() => read('out')).toThrow('leads out');
  expect(() => read('device')).toThrow('leads out');
  expect(() => read('pipe')).toThrow('is not a file');
});
