import { execFileSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DockedRepository, failureOf } from '../../../../test/support/docked-repository.js';

let docked: DockedRepository;

beforeAll(async () => {
  docked = await DockedRepository.start();
});
afterAll(() => docked.close());
beforeEach(() =>
  docked.reset({ 'a.txt': 'a1', 'b.txt': 'b1', 'package.json': '{}', '.gitignore': '.env.local\nnode_modules\n' }),
);

describe('what an app has planted in the repository', () => {
  it('is not run by an update', async () => {
    await docked.upstream.commit({ '.gitattributes': 'a.txt filter=x diff=x merge=x\n' });
    await docked.dock();
    const canary = join(dirname(docked.workspace), 'canary');
    docked.station.write({ 'run.sh': `#!/bin/sh\ntouch ${canary}\nexec cat\n` });
    const program = `sh ${docked.path('run.sh')}`;
    const planted = `
[core]
	fsmonitor = ${program}
	sshCommand = ${program}
	hooksPath = ${docked.path('.git/own-hooks')}
	askPass = ${program}
	editor = ${program}
	gitProxy = ${program}
	alternateRefsCommand = ${program}
	worktree = /
	bare = true
[core] fsmonitor = ${program}
[filter "x"]
	clean = ${program}
	smudge = ${program}
	process = ${program}
	required = true
[diff]
	external = ${program}
[diff "x"]
	command = ${program}
	textconv = ${program}
[merge "x"]
	driver = ${program}
[credential]
	helper = "!${program}"
[url "ext::${program} "]
	insteadOf = http://
[http]
	proxy = http://127.0.0.1:9
[remote "origin"]
	uploadpack = ${program}
	vcs = x
	proxy = http://127.0.0.1:9
[gpg]
	program = ${program}
[uploadpack]
	packObjectsHook = ${program}
[alias]
	fetch = "!${program}"
[include]
	path = planted
[extensions]
	worktreeConfig = true
[core]
	pager = \\
sshCommand = ${program}
`;
    appendFileSync(docked.path('.git/config'), planted);
    for (const name of ['config.worktree', 'planted']) writeFileSync(docked.path(`.git/${name}`), planted);
    for (const folder of ['hooks', 'own-hooks']) {
      mkdirSync(docked.path(`.git/${folder}`), { recursive: true });
      for (const hook of ['reference-transaction', 'post-checkout', 'post-index-change', 'pre-auto-gc', 'post-merge']) {
        const script = `#!/bin/sh\ntouch ${canary}\n`;
        writeFileSync(docked.path(`.git/${folder}/${hook}`), script, { mode: 0o755 });
      }
    }
    docked.station.write({ 'a.txt': 'mine' });
    const to = await docked.upstream.commit({ 'a.txt': 'a2' });
    expect((await docked.update()).savedRef).toBeDefined();
    expect(existsSync(canary)).toBe(false);
    expect(docked.station.read('a.txt')).toBe('a2');
    expect(readFileSync(docked.path('.git/config'), 'utf8')).not.toContain('run.sh');
    expect(docked.git('rev-parse', 'HEAD')).toBe(to);
  });

  it('does not make it wait for a pipe', async () => {
    await docked.upstream.commit({ 'sub/c.txt': 'c1' });
    await docked.dock();
    execFileSync('mkfifo', [docked.path('.mailmap'), docked.path('sub/.gitattributes')]);
    await docked.upstream.commit({ 'sub/c.txt': 'c2' });
    const { code, message } = await failureOf(docked.update());
    expect([code, message]).toEqual(['GIT_FAILED', 'sub/.gitattributes is a named pipe, and git would wait for it']);
    expect(docked.read('sub/c.txt')).toEqual(['c1']);
    rmSync(docked.path('sub/.gitattributes'));
    await docked.update();
    expect(docked.read('sub/c.txt')).toEqual(['c2']);
  });

  it('does not lead it to another repository', async () => {
    await docked.dock();
    const other = join(dirname(docked.workspace), 'other');
    execFileSync('cp', ['-r', docked.path('.git'), other]);
    const config = readFileSync(join(other, 'config'), 'utf8');
    await docked.upstream.commit({ 'a.txt': 'a2' });
    const lead = [
      () => symlinkSync(other, docked.path('.git')),
      () => writeFileSync(docked.path('.git'), `gitdir: ${other}\n`),
      () => {
        mkdirSync(docked.path('.git'));
        writeFileSync(docked.path('.git/HEAD'), 'ref: refs/heads/main\n');
        for (const name of ['objects', 'refs']) symlinkSync(join(other, name), docked.path(`.git/${name}`));
      },
    ];
    for (const plant of lead) {
      rmSync(docked.path('.git'), { recursive: true, force: true });
      plant();
      const { code, suggestion } = await failureOf(docked.update());
      expect({ code, suggestion }).toEqual({
        code: 'GIT_FAILED',
        suggestion: expect.stringContaining('clone') as string,
      });
    }
    expect(readFileSync(join(other, 'config'), 'utf8')).toBe(config);
    expect(readFileSync(join(other, 'refs/heads/main'), 'utf8').trim()).toBe(docked.cloned.commit);
  });
});
