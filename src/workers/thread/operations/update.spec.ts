import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { DockedRepository, failureOf, wholeTree } from '../../../../test/support/docked-repository.js';
import type { GitFile } from '../../../../test/support/git-repository.js';
import { dependencyFingerprint } from '../project/fingerprint.js';

let docked: DockedRepository;

beforeAll(async () => {
  docked = await DockedRepository.start();
});
afterAll(() => docked.close());
beforeEach(() =>
  docked.reset({ 'a.txt': 'a1', 'b.txt': 'b1', 'package.json': '{}', '.gitignore': '.env.local\nnode_modules\n' }),
);

describe('an update', () => {
  it('moves the tree to the new commit and tells what has changed', async () => {
    const { commit: from } = await docked.dock();
    await docked.upstream.commit({ 'a.txt': 'a2' }, { message: 'Second: ä' });
    const to = await docked.upstream.commit({ 'c/d.txt': 'd' }, { message: 'Third', remove: ['b.txt'] });
    expect(await docked.update()).toEqual({
      repoUrl: docked.cloned.repoUrl,
      branch: 'main',
      refKind: 'branch',
      from,
      to,
      changedFiles: ['a.txt', 'b.txt', 'c/d.txt'],
      changedFileCount: 3,
      commits: [
        { commit: to, subject: 'Third', author: 'Fixture', time: expect.any(Number) as number },
        {
          commit: expect.any(String) as string,
          subject: 'Second: ä',
          author: 'Fixture',
          time: expect.any(Number) as number,
        },
      ],
      dependenciesChanged: false,
      declaresDependencies: false,
      warnings: [],
    });
    expect(docked.tree()).toEqual(wholeTree(to));
    expect([docked.station.read('a.txt'), existsSync(docked.path('b.txt')), docked.station.read('c/d.txt')]).toEqual([
      'a2',
      false,
      'd',
    ]);
    expect(docked.git('status', '--branch', '--porcelain')).toBe('## main...origin/main');
  });

  it('has nothing to do where nothing is new', async () => {
    const { commit } = await docked.dock();
    expect(await docked.update()).toMatchObject({
      from: commit,
      to: commit,
      changedFileCount: 0,
      commits: [],
      warnings: [],
    });
    expect(docked.tree()).toEqual(wholeTree(commit));
  });

  it('touches no file that has not changed', async () => {
    await docked.dock();
    const before = execFileSync('stat', ['-c', '%y %i', docked.path('b.txt')], { encoding: 'utf8' });
    await docked.upstream.commit({ 'a.txt': 'a2' });
    await docked.update();
    expect(execFileSync('stat', ['-c', '%y %i', docked.path('b.txt')], { encoding: 'utf8' })).toBe(before);
  });

  it('follows a forced push, of an amended commit and of a new root, without the history that is not asked for', async () => {
    for (let count = 0; count < 5; count += 1) await docked.upstream.commit({ 'a.txt': `old ${count}` });
    await docked.dock();
    const amended = await docked.upstream.commit({ 'a.txt': 'amended' }, { amend: true });
    expect(await docked.update()).toMatchObject({ to: amended });
    expect(docked.tree()).toEqual(wholeTree(amended));
    expect(docked.station.read('a.txt')).toBe('amended');
    const root = await docked.upstream.commit({ 'new.txt': 'n' }, { orphan: true });
    const { to, savedRef, commits } = await docked.update();
    expect({ to, savedRef, commits: commits.length }).toEqual({ to: root, savedRef: undefined, commits: 1 });
    expect(docked.tree()).toEqual(wholeTree(root));
    expect(readdirSync(docked.workspace).toSorted()).toEqual(['.git', 'new.txt']);
    expect(docked.git('rev-list', '--count', '--all')).not.toMatch(/^\d\d/);
  });

  it('moves back where the branch was reset to an older commit', async () => {
    const older = await docked.upstream.commitOf('main');
    await docked.upstream.commit({ 'a.txt': 'a2' });
    await docked.dock({ depth: 0 });
    await docked.upstream.branch('main', older);
    expect(await docked.update()).toMatchObject({ to: older, commits: [], changedFiles: ['a.txt'] });
    expect(docked.tree()).toEqual(wholeTree(older));
  });

  it('of a shallow clone knows all commits since, and says how many files in all', async () => {
    await docked.dock();
    const files: Record<string, GitFile> = {};
    for (let count = 0; count < 1_010; count += 1) files[`many/${count}`] = '';
    for (let count = 0; count < 12; count += 1) await docked.upstream.commit({ 'a.txt': `${count}` });
    const to = await docked.upstream.commit(files);
    const { commits, changedFiles, changedFileCount } = await docked.update();
    expect([commits.length, changedFiles.length, changedFileCount]).toEqual([13, 1_000, 1_011]);
    expect(docked.tree()).toEqual(wholeTree(to));
  });

  it('follows a full clone as well', async () => {
    await docked.dock({ depth: 0 });
    const to = await docked.upstream.commit({ 'a.txt': 'a2' });
    expect((await docked.update()).commits).toHaveLength(1);
    expect(docked.tree()).toEqual(wholeTree(to));
    expect(existsSync(docked.path('.git/shallow'))).toBe(false);
  });

  it('works with branches whatever their names', async () => {
    await docked.dock();
    const to = await docked.upstream.commit({ 'a.txt': 'a2' });
    for (const branch of ['feature/foo', '#SIG-38', 'feat@1', 'release-1.0', 'größe']) {
      await docked.upstream.branch(branch);
      expect(await docked.update({ branch })).toMatchObject({ branch, refKind: 'branch', to });
      expect(docked.git('status', '--branch', '--porcelain')).toBe(`## ${branch}...origin/${branch}`);
    }
  });

  it('leaves the tree alone where the branch has been deleted, and names those that exist', async () => {
    await docked.upstream.commit({ 'a.txt': 'feature' }, { branch: 'feature' });
    const { commit } = await docked.dock({ branch: 'feature' });
    docked.station.write({ 'a.txt': 'changed here' });
    await docked.upstream.deleteBranch('feature');
    const { code, context } = await failureOf(docked.update());
    expect({ code, branches: context?.branches }).toEqual({ code: 'GIT_BRANCH_NOT_FOUND', branches: ['main'] });
    expect([docked.git('rev-parse', 'HEAD'), docked.station.read('a.txt')]).toEqual([commit, 'changed here']);
  });

  it('of a repository that was empty when it was cloned first has something to move', async () => {
    docked.upstream = await docked.server.createRepository('alice/empty', { empty: true });
    rmSync(docked.workspace, { recursive: true });
    expect((await failureOf(docked.dock())).code).toBe('EMPTY_REPOSITORY');
    await docked.upstream.commit({ 'a.txt': 'first' });
    await docked.dock();
    const to = await docked.upstream.commit({ 'a.txt': 'second' });
    expect(await docked.update()).toMatchObject({ to });
    expect(docked.station.read('a.txt')).toBe('second');
  });
});

describe('an update to another branch or tag', () => {
  it('switches to a branch and back, also where their names exclude each other', async () => {
    const { commit } = await docked.dock();
    const other = await docked.upstream.commit({ 'a.txt': 'other' }, { branch: 'dev/x' });
    expect(await docked.update({ branch: 'dev/x' })).toMatchObject({ branch: 'dev/x', refKind: 'branch', to: other });
    expect(docked.tree()).toEqual(wholeTree(other));
    expect(docked.git('status', '--branch', '--porcelain')).toBe('## dev/x...origin/dev/x');
    expect(await docked.update({ branch: 'main' })).toMatchObject({ branch: 'main', to: commit });
    await docked.update({ branch: 'dev/x' });
    await docked.upstream.deleteBranch('dev/x');
    const dev = await docked.upstream.commit({ 'a.txt': 'dev' }, { branch: 'dev' });
    expect(await docked.update({ branch: 'dev' })).toMatchObject({ branch: 'dev', to: dev });
    expect(docked.tree()).toEqual(wholeTree(dev));
    expect(docked.git('status', '--branch', '--porcelain')).toBe('## dev...origin/dev');
  });

  it('stays at its tag, and follows it where it is moved', async () => {
    await docked.upstream.tag('v1', { annotated: true });
    const { commit } = await docked.dock({ branch: 'v1' });
    await docked.upstream.commit({ 'a.txt': 'a2' });
    expect(await docked.update()).toMatchObject({ refKind: 'tag', branch: 'v1', from: commit, to: commit });
    await docked.upstream.tag('v1', { force: true });
    const { to, savedRef } = await docked.update();
    expect({ to, savedRef }).toEqual({ to: await docked.upstream.commitOf('main'), savedRef: undefined });
    expect(docked.tree()).toEqual(wholeTree(to));
    expect(docked.git('rev-parse', 'v1^{commit}')).toBe(to);
  });

  it('prefers the branch where a tag has the same name', async () => {
    await docked.dock();
    await docked.upstream.tag('both');
    const to = await docked.upstream.commit({ 'a.txt': 'branch' }, { branch: 'both' });
    expect(await docked.update({ branch: 'both' })).toMatchObject({ refKind: 'branch', to });
  });

  it('refuses one that does not exist', async () => {
    const { commit } = await docked.dock();
    expect((await failureOf(docked.update({ branch: 'nowhere' }))).code).toBe('GIT_BRANCH_NOT_FOUND');
    expect(docked.tree()).toEqual(wholeTree(commit));
  });
});

describe('the dependencies', () => {
  it('have changed where manifest or lockfile have, since the install or else by the update', async () => {
    await docked.dock();
    const installedFingerprint = dependencyFingerprint(docked.workspace);
    await docked.upstream.commit({ 'a.txt': 'a2' });
    expect(await docked.update({ installedFingerprint })).toMatchObject({ dependenciesChanged: false });
    await docked.upstream.commit({ 'package.json': '{"dependencies":{"left-pad":"1.3.0"}}' });
    const changed = { dependenciesChanged: true, declaresDependencies: true };
    expect(await docked.update()).toMatchObject(changed);
    expect(await docked.update({ installedFingerprint })).toMatchObject(changed);
    expect(await docked.update()).toMatchObject({ ...changed, dependenciesChanged: false });
  });

  it('of a package.json that cannot be read are a warning', async () => {
    await docked.dock();
    await docked.upstream.commit({ 'package.json': '{' });
    const { declaresDependencies, warnings } = await docked.update();
    expect({ declaresDependencies, warnings }).toEqual({
      declaresDependencies: false,
      warnings: [expect.stringContaining('package.json') as string],
    });
  });
});
