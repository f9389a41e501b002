import { spawnSync } from 'node:child_process';
import { validateBranch } from './branch-name.js';

const VALID = ['main', 'feature/foo', '#SIG-38', 'feat@1', 'release-1.0', 'größe', 'v1', 'a@b', 'x.lock.y', '日本'];
const INVALID = [
  '',
  'a b',
  'x..y',
  'x.lock',
  'x.lock/y',
  '.x',
  'a/.x',
  'x.',
  '/x',
  'x/',
  'a//b',
  'HEAD',
  'a@{1}',
  'a~1',
  'a^',
  'a:b',
  'a?',
  'a*',
  'a[',
  'a\\b',
  'a\tb',
  'a\x7f',
  '--upload-pack=touch',
  '-c',
];

const judged = (name: string) => spawnSync('git', ['check-ref-format', '--branch', name]).status === 0;

describe('a branch name', () => {
  it.each(VALID)('may be %j', (name) => {
    expect(validateBranch(name)).toBe(name);
  });

  it.each([...INVALID, '@', 'x'.repeat(244)])('may not be %j', (name) => {
    expect(() => validateBranch(name)).toThrow(expect.objectContaining({ code: 'INVALID_BRANCH' }) as Error);
  });

  it('is judged as git judges it, which reads "@" as HEAD', () => {
    expect(VALID.filter((name) => !judged(name))).toEqual([]);
    expect(INVALID.filter(judged)).toEqual([]);
  });
});
