import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { holdFolder, removeInside } from './in-folder.js';

let root: string;
let workspace: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'in-folder-'));
  workspace = join(root, 'workspace');
  for (const folder of ['workspace/sub', 'outside']) mkdirSync(join(root, folder), { recursive: true });
  for (const folder of ['workspace/sub', 'outside']) writeFileSync(join(root, folder, 'file'), folder);
});
afterEach(() => rmSync(root, { recursive: true }));

it('holds on to a folder whatever its name leads to afterwards', () => {
  const held = holdFolder(workspace, 'sub');
  renameSync(join(workspace, 'sub'), join(workspace, 'moved'));
  symlinkSync(join(root, 'outside'), join(workspace, 'sub'));
  expect(readFileSync(join(held?.path ?? '', 'file'), 'utf8')).toBe('workspace/sub');
  held?.release();
});

it('removes nothing that lies outside, by a link or upwards', async () => {
  symlinkSync(join(root, 'outside'), join(workspace, 'link'));
  await removeInside(workspace, 'link/file');
  await removeInside(workspace, '../outside/file');
  expect(existsSync(join(root, 'outside', 'file'))).toBe(true);
  await removeInside(workspace, 'link');
  await removeInside(workspace, 'sub/file');
  expect([existsSync(join(workspace, 'link')), existsSync(join(workspace, 'sub', 'file'))]).toEqual([false, false]);
  expect(existsSync(join(root, 'outside', 'file'))).toBe(true);
});
