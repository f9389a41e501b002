import type { Failure } from './failure.js';
import { parseRepositoryUrl, refuseForbiddenHost } from './repository-url.js';

const canonical = (input: string) => parseRepositoryUrl(input).canonicalUrl;

function codeOf(action: () => unknown): string | undefined {
  try {
    action();
  } catch (error) {
    return (error as Failure).code;
  }
  return undefined;
}

const refused = (url: string, allowed: string[] = []) =>
  codeOf(() => refuseForbiddenHost(parseRepositoryUrl(url), allowed));

describe('the URL of a repository', () => {
  it.each([
    ['https://github.com/o/r', 'https://github.com/o/r'],
    ['HTTPS://GitHub.COM./O/R.git/', 'https://github.com/O/R'],
    ['https://h:443/o/next.js.git', 'https://h/o/next.js'],
    ['https://h:8443//o//r/', 'https://h:8443/o/r'],
    ['https://user:secret@h/o/r.git', 'https://h/o/r'],
    ['https://h/o/.github', 'https://h/o/.github'],
    ['https://h/@a.b/core', 'https://h/@a.b/core'],
    ['https://h/~u/r', 'https://h/~u/r'],
    ['https://h/größe/r', 'https://h/gr%C3%B6%C3%9Fe/r'],
    ['http://127.1:80/r', 'http://127.0.0.1/r'],
    ['ssh://git@h:22/o/r.git', 'ssh://git@h/o/r'],
    ['ssh://h:2222/o/r.git', 'ssh://git@h:2222/o/r'],
    ['deploy@H:o/r.git', 'deploy@h:o/r'],
    ['git@h:/srv/r.git', 'ssh://git@h/srv/r'],
    ['git@[2001:DB8::1]:o/r', 'git@[2001:db8::1]:o/r'],
  ])('%s is canonically %s', (input, expected) => {
    expect(canonical(input)).toBe(expected);
    expect(canonical(expected)).toBe(expected);
  });

  it('gives its credentials away separately', () => {
    expect(parseRepositoryUrl('https://al%40ice:p%2Fw@h/o/r').credentials).toEqual({
      username: 'al@ice',
      token: 'p/w',
    });
    expect(parseRepositoryUrl('https://TOKEN@h/o/r').credentials).toEqual({ token: 'TOKEN' });
    expect(parseRepositoryUrl('https://h/o/r').credentials).toBeUndefined();
  });

  it.each([
    '',
    '--upload-pack=touch CANARY',
    '-utouch',
    'ext::sh -c touch% CANARY',
    'ext::sh',
    'Ext::sh',
    'fd::7',
    'file:///etc',
    'FILE:///tmp/x',
    '/etc',
    '../other',
    'C:\\repo',
    'git://h/o/r',
    'https://h',
    'https://h/',
    'https:///o/r',
    'https://h/o/..',
    'https://h/o/...git',
    'https://h/o/%2e%2e/r',
    'https://h/o%2fr',
    'https://h/o/r?x=1',
    'https://h/o/r#main',
    'https://h/o/r\n',
    'https://h/o/r\r',
    'https://h/o/r\0',
    'https://h/o/r%00',
    'https://h/o/r%0a',
    'https://h/o/%zz',
    'https://h:0/o/r',
    'https://h:99999/o/r',
    'https://[::1/o/r',
    'https://u:%ff@h/o/r',
    'ssh://-oProxyCommand=x/o/r',
    'ssh://-x@h/o/r',
    'ssh://git:secret@h/o/r',
    'git@-h:o/r',
    'git@h:-o/r',
    'git@h:../r',
    'github.com:o/r',
    `https://h/${'a'.repeat(3000)}`,
  ])('is not %j', (input) => {
    expect(codeOf(() => parseRepositoryUrl(input))).toBe('INVALID_URL');
  });

  it('is not repeated in the error, as it may hold a token', () => {
    expect(() => parseRepositoryUrl('https://S3CR3T@h/o/r?x')).toThrow(/^(?!.*S3CR3T)/);
  });
});

describe('a host', () => {
  it.each([
    'https://169.254.169.254/x',
    'https://127.0.0.1:81/x',
    'https://2130706433/x',
    'https://0x7f.1/x',
    'https://017700000001/x',
    'https://[::1]/x',
    'https://[::]/x',
    'https://[::ffff:127.0.0.1]/x',
    'https://[::ffff:8.8.8.8]/x',
    'https://[fe80::1]/x',
    'https://[fd00::1]/x',
    'https://[64:ff9b::10.0.0.1]/x',
    'https://localhost/x',
    'https://LOCALHOST./x',
    'https://a.localhost/x',
    'https://127.0.0.1./x',
    'https://0/x',
    'ssh://127.0.0.1/x',
    'ssh://2130706433/x',
    'ssh://0x7f.1/x',
    'git@127.0.0.1:x',
    'git@localhost:x',
    'http://github.com/x',
  ])('of %s is not allowed', (url) => {
    expect(refused(url)).toBe('GIT_HOST_NOT_ALLOWED');
  });

  it('on the public internet is allowed', () => {
    for (const url of ['https://github.com/x', 'https://8.8.8.8/x', 'https://[2606:4700::1]/x', 'git@gitlab.com:x/y']) {
      expect(refused(url)).toBeUndefined();
    }
  });

  it('is allowed when it is listed with its port, also by http', () => {
    expect(refused('http://127.0.0.1:3000/x', ['127.0.0.1:3000'])).toBeUndefined();
    expect(refused('http://127.0.0.1:3001/x', ['127.0.0.1:3000'])).toBe('GIT_HOST_NOT_ALLOWED');
    expect(refused('ssh://[::1]:22/x', ['[::1]:22'])).toBeUndefined();
  });
});
