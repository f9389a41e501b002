import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageJson } from './support/fixtures.js';
import type { GitRepository } from './support/git-repository.js';
import { GitServer } from './support/git-server.js';
import { IS_MATRIX } from './support/matrix.js';
import { asUser, SERVER_USERS } from './support/server-users.js';
import { Station } from './support/station.js';
import { temporaryFolder } from './support/temporary-folder.mjs';

/** Listens, and calls `spin` again and again, without leaving the processor to anybody in between. */
const spinning = `
const fs = require('fs');
const listen = () => require('http').createServer((request, response) => response.end()).listen(process.env.PORT);
const spin = (look) => {
  for (const end = Date.now() + 50; Date.now() < end; ) if (look()) return;
  setImmediate(spin, look);
};
`;

/** Stands in an app for what its link leads to. */
const TARGET = '__TARGET__';

/** Makes a folder in place of a file that the station replaces, and a link in place of that once it is being removed. */
const exchangesWhileRemoved = (base: string): string => `${spinning}
const base = ${base};
const inner = base + '/inner';
fs.rmSync(base, { recursive: true, force: true });
fs.mkdirSync(inner, { recursive: true });
for (let i = 0; i < 4000; i++) fs.writeFileSync(inner + '/decoy' + i, '');
fs.writeFileSync(inner + '/precious.txt', '');
const first = fs.readdirSync(inner).slice(0, 30);
listen();
spin(() => {
  if (first.every((name) => fs.existsSync(inner + '/' + name))) return false;
  try {
    fs.renameSync(inner, base + '/moved');
    fs.symlinkSync(${TARGET}, inner);
  } catch {}
  return true;
});
`;

const EXCHANGES_POINTER = exchangesWhileRemoved(`'lib/.git'`);
const EXCHANGES_CONFIGURATION = exchangesWhileRemoved(`process.env.HOME + '/.npmrc'`);

/** Puts a git folder with programs into the place of a submodule's \`.git\` as soon as the station has written that. */
const PLANTS_GIT_FOLDER = `${spinning}
const pointer = 'lib/.git';
fs.cpSync('.git/modules/lib', 'planted', { recursive: true });
const config = fs.readFileSync('planted/config', 'utf8').replace(/^\\s*worktree.*$/m, '');
const program = process.env.PWD + '/fires.sh';
fs.writeFileSync('planted/config', config + '[filter "x"]\\n\\tsmudge = ' + program + '\\n\\tclean = cat\\n');
fs.mkdirSync('planted/info', { recursive: true });
fs.writeFileSync('planted/info/attributes', '* filter=x\\n');
fs.writeFileSync('fires.sh', '#!/bin/sh\\nenv >>' + process.env.PWD + '/FIRED\\ncat\\n', { mode: 0o755 });
const seen = () => { try { return fs.lstatSync(pointer).ctimeMs; } catch { return 0; } };
const before = seen();
listen();
spin(() => {
  const now = seen();
  if (now === before || now === 0) return false;
  try {
    fs.unlinkSync(pointer);
    fs.renameSync('planted', pointer);
  } catch {}
  return true;
});
`;

describe.each(SERVER_USERS)('an app that exchanges its files while a server of $name works on them', (user) => {
  let git: GitServer;
  let station: Station;
  let outside: string;

  beforeAll(async () => {
    git = await GitServer.start();
    station = await Station.start({ allowedHosts: [git.host], launcher: asUser(user), uid: user.uid });
    outside = await temporaryFolder('outside');
  });
  beforeEach(() => writeFileSync(join(outside, 'precious.txt'), 'precious'));
  afterAll(async () => {
    await station?.close();
    await git?.close();
    rmSync(outside, { recursive: true });
  });

  const precious = () => existsSync(join(outside, 'precious.txt'));
  const lib = async (name: string) => git.createRepository(name, { files: { 'lib.txt': 'one' } });
  const modules = (name: string) => `[submodule "lib"]\n\tpath = lib\n\turl = ../${name}.git\n`;

  it('leads no install to what lies outside, and has its configuration replaced', async () => {
    const app = EXCHANGES_CONFIGURATION.replace(TARGET, JSON.stringify(outside));
    const files = { 'package.json': packageJson({ start: 'node app.js' }), 'app.js': app };
    const { repoId, uid } = (await station.clone((await git.createRepository('eve/home', { files })).url)).body;
    expect((await station.run(repoId)).status).toBe(200);
    expect((await station.install(repoId)).body).toMatchObject({ success: true });
    expect(precious()).toBe(true);
    expect(readFileSync(join(station.workspaceDir, '.homes', uid, '.npmrc'), 'utf8')).toContain('registry=');
    await station.unload(repoId);
  });

  async function runWithSubmodule(name: string, app: string) {
    const submodule = await lib(`eve/${name}-lib`);
    const files = {
      'package.json': packageJson({ start: 'node app.js' }),
      'app.js': app,
      '.gitmodules': modules(`${name}-lib`),
      lib: { submodule: await submodule.commitOf('main') },
    };
    const upstream: GitRepository = await git.createRepository(`eve/${name}`, { files });
    const { repoId } = (await station.clone(upstream.url)).body;
    expect((await station.run(repoId)).status).toBe(200);
    await upstream.commit({ lib: { submodule: await submodule.commit({ 'lib.txt': 'two' }) } });
    return { repoId, workspace: join(station.workspaceDir, repoId) };
  }

  // The matrix alone: an app that does not leave the processor to anybody takes its time.
  (IS_MATRIX ? describe : describe.skip)('being updated', () => {
    it.each([
      ['has its git run a program', PLANTS_GIT_FOLDER],
      ['leads it to what lies outside', EXCHANGES_POINTER],
    ])('never %s', async (_, app) => {
      const { repoId, workspace } = await runWithSubmodule('update', app.replace(TARGET, JSON.stringify(outside)));
      expect((await station.update(repoId)).body).toMatchObject({ success: true, result: { warnings: [] } });
      expect(readFileSync(join(workspace, 'lib', 'lib.txt'), 'utf8')).toBe('two');
      expect([existsSync(join(workspace, 'FIRED')), precious()]).toEqual([false, true]);
      await station.unload(repoId);
    });
  });
});
