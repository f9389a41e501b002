import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { asUser, isRoot } from '../../test/support/server-users.js';
import { openUp } from './open-up.js';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'remove-folders-'));
});
afterEach(() => rmSync(root, { recursive: true }));

it('tries what its owner has closed again, however long the first attempt has taken', () => {
  const folder = join(root, 'folder');
  mkdirSync(join(folder, 'closed'), { recursive: true });
  writeFileSync(join(folder, 'closed', 'file'), '');
  close(join(folder, 'closed'));
  removeAsOrdinaryUser(folder);
  expect(existsSync(folder)).toBe(false);
});

it('removes what is closed below any number of folders, with few open files', () => {
  const folder = join(root, 'folder');
  mkdirSync(folder);
  const chain = 'for (let n = 0; n < 1000; n += 1) { fs.mkdirSync("d"); process.chdir("d"); }';
  const closed = 'fs.mkdirSync("closed/file", { recursive: true }); fs.chmodSync("closed", 0);';
  execFileSync(process.execPath, ['--eval', `${chain} ${closed}`], { cwd: folder });
  close(folder);
  removeAsOrdinaryUser(folder, ['prlimit', '--nofile=128']);
  expect(existsSync(folder)).toBe(false);
});

it('opens what is to be removed, and nothing that a link leads to', async () => {
  for (const name of ['outside', 'folder', 'folder/below']) mkdirSync(join(root, name));
  symlinkSync(join(root, 'outside'), join(root, 'folder', 'below', 'link'));
  for (const name of ['outside', 'folder/below', 'folder']) chmodSync(join(root, name), 0o500);
  await openUp(join(root, 'folder'));
  await openUp(join(root, 'folder', 'below', 'link'));
  const modes = ['folder', 'folder/below', 'outside'].map((name) => statSync(join(root, name)).mode & 0o777);
  expect(modes).toEqual([0o700, 0o700, 0o500]);
});

const UID = 70_200;

/** To its owner, who is not root: root can remove all of it at once. */
function close(folder: string): void {
  if (isRoot) execFileSync('chown', ['-R', String(UID), root]);
  chmodSync(folder, 0o000);
}

function removeAsOrdinaryUser(folder: string, launcher: string[] = []): void {
  const program = `
    const { removeFolders } = await import(process.argv[1]);
    await removeFolders([process.argv[2]], undefined, -1);`;
  const [file, ...args] = [
    ...launcher,
    ...(isRoot ? asUser({ name: 'an ordinary user', uid: UID }) : []),
    process.execPath,
    '--input-type=module',
    '--eval',
    program,
    resolve('dist/machine/remove-folders.js'),
    folder,
  ];
  execFileSync(file, args);
}
