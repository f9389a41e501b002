import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TestThread } from '../../../../test/support/operation-thread.js';
import { dependencyFingerprint } from './fingerprint.js';
import { declaredDependencies, dependencyNames, readPackageJson } from './manifest.js';

describe('the package.json of a workspace', () => {
  let repository: TestThread;
  beforeEach(() => {
    repository = new TestThread({});
  });
  afterEach(() => repository.dispose());
  const read = () => readPackageJson(repository.paths.workspace);
  const path = (name: string) => join(repository.paths.workspace, name);

  it('is read with its scripts, of which only texts count', () => {
    writeFileSync(
      path('package.json'),
      '\uFEFF{"name":"a","version":1,"scripts":{"start":"node .","odd":{},"__proto__":"x"}}',
    );
    const { name, version, scripts } = read();
    expect([name, version, Object.keys(scripts)]).toEqual(['a', undefined, ['start', '__proto__']]);
    expect(Object.hasOwn(scripts, 'constructor')).toBe(false);
  });

  it('may be missing', () => {
    expect(read).toThrow(expect.objectContaining({ code: 'NO_PACKAGE_JSON' }) as Error);
    expect(declaredDependencies(repository.paths.workspace)).toEqual({ declared: false, warnings: [] });
  });

  it.each(['', '[]', 'null', '"text"', '{"a":}', 'x'.repeat(1_000_001)])('may not be %.20j', (content) => {
    writeFileSync(path('package.json'), content);
    expect(read).toThrow(expect.objectContaining({ code: 'BAD_PACKAGE_JSON' }) as Error);
  });

  it('is not read where it is a link that leads out, a folder or a pipe', () => {
    const outside = mkdtempSync(join(tmpdir(), 'outside-'));
    writeFileSync(join(outside, 'package.json'), '{"name":"S3CR3T"}');
    writeFileSync(join(outside, 'text'), 'S3CR3T');
    symlinkSync(outside, path('folder'));
    for (const target of [
      join(outside, 'package.json'),
      join(outside, 'text'),
      'folder/package.json',
      '/no/such',
      '.',
    ]) {
      symlinkSync(target, path('package.json'));
      expect(read).toThrow(expect.objectContaining({ code: 'BAD_PACKAGE_JSON' }) as Error);
      expect(read).toThrow(/^(?!.*S3CR3T)/);
      rmSync(path('package.json'));
    }
    execFileSync('mkfifo', [path('package.json')]);
    expect(read).toThrow('is not a file');
    rmSync(outside, { recursive: true });
  });

  it('may be a link within the repository', () => {
    repository.write({ 'app/package.json': { name: 'app' } });
    symlinkSync('app/package.json', path('package.json'));
    expect(read().name).toBe('app');
  });

  it('tells its dependencies', () => {
    repository.write({
      'package.json': { dependencies: { a: '1' }, devDependencies: { b: '1', a: '1' }, peerDependencies: 7 },
    });
    expect(dependencyNames(read())).toEqual(['a', 'b']);
  });
});

describe('the fingerprint of the dependencies', () => {
  let repository: TestThread;
  beforeEach(() => {
    repository = new TestThread({
      'package.json': { workspaces: ['packages/*'], scripts: { start: 'node .' }, dependencies: { a: '1' } },
      'packages/one/package.json': { dependencies: { b: '1' } },
      'packages/one/node_modules/c/package.json': { dependencies: { d: '1' } },
      'package-lock.json': '{}',
    });
  });
  afterEach(() => repository.dispose());
  const fingerprint = () => dependencyFingerprint(repository.paths.workspace);

  it.each<[string, string | object]>([
    ['package-lock.json', '{"changed":true}'],
    ['.npmrc', 'registry=https://other.example'],
    ['.nvmrc', '24'],
    ['pnpm-workspace.yaml', 'packages: []'],
    ['package.json', { workspaces: ['packages/*'], dependencies: { a: '2' } }],
    ['package.json', { workspaces: ['packages/*'], dependencies: { a: '1' }, scripts: { postinstall: 'x' } }],
    ['packages/one/package.json', { dependencies: { b: '2' } }],
    ['packages/two/package.json', { dependencies: {} }],
    ['package.json', '{ not JSON'],
  ])('changes with %s (%j)', (name, content) => {
    const before = fingerprint();
    repository.write({ [name]: content });
    expect(fingerprint()).not.toBe(before);
  });

  it.each<[string, string | object]>([
    [
      'package.json',
      { workspaces: ['packages/*'], scripts: { start: 'node b' }, dependencies: { a: '1' }, version: '2' },
    ],
    ['index.js', ''],
    ['packages/one/node_modules/c/package.json', {}],
  ])('does not change with %s (%j)', (name, content) => {
    const before = fingerprint();
    repository.write({ [name]: content });
    expect(fingerprint()).toBe(before);
  });
});
