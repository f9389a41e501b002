import { baseRepoId, parseRepositoryUrl, urlHash, validateRepoId } from './repository-url.js';

const idOf = (url: string) => baseRepoId(parseRepositoryUrl(url).canonicalUrl);

describe('a repoId', () => {
  it.each([
    ['https://github.com/Facebook/React.git', 'facebook-react'],
    ['https://h/group/sub/next.js', 'sub-next.js'],
    ['https://h/o/.github', 'o-.github'],
    ['https://h/@a.b/core', 'a.b-core'],
    ['https://h/~u/r', 'u-r'],
    ['https://h/r_x', 'r-x'],
    ['https://h/größe/r', 'gr--e-r'],
    ['git@h:o/r.git', 'o-r'],
    ['git@[2001:db8::1]:r', 'r'],
    ['ssh://git@h:2222/o/r', 'o-r'],
  ])('of %s is %s', (url, expected) => {
    expect(idOf(url)).toBe(expected);
  });

  it('is made up where the URL has no usable characters, is the name of a route, or is too long', () => {
    expect(idOf('https://h/日本/語')).toMatch(/^repo-[0-9a-f]{8}$/);
    expect(idOf('https://h/list')).toMatch(/^list-[0-9a-f]{8}$/);
    expect(idOf(`https://h/o/${'x'.repeat(300)}`)).toMatch(/^o-x{89}-[0-9a-f]{8}$/);
  });

  it('of two URLs that differ in a slash only differs by the hash of the URL', () => {
    expect(idOf('https://h/a-b/c')).toBe(idOf('https://h/a/b-c'));
    expect(urlHash('https://h/a-b/c')).not.toBe(urlHash('https://h/a/b-c'));
  });

  it('that a caller chooses is taken in any letter case', () => {
    expect(validateRepoId('My-App.2')).toBe('my-app.2');
  });

  it.each([
    '',
    '.',
    '..',
    '.hidden',
    'a/b',
    'a b',
    '%2e%2e',
    '../victim',
    '__proto__',
    'list',
    'Clone',
    'r_1',
    'é',
    'x'.repeat(101),
    'a\n',
  ])('is not %j', (id) => {
    expect(() => validateRepoId(id)).toThrow(expect.objectContaining({ code: 'BAD_REQUEST' }) as Error);
  });
});
