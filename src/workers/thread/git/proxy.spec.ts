import { parseRepositoryUrl } from '../../../contracts/repository-url.js';
import { usesProxy } from './proxy.js';

const uses = (url: string, environment: NodeJS.ProcessEnv) => usesProxy(parseRepositoryUrl(url), environment);

describe('the proxy of the server', () => {
  it('is used for the protocols that it is named for', () => {
    expect(uses('https://h/r', { HTTPS_PROXY: 'http://p:1' })).toBe(true);
    expect(uses('https://h/r', { http_proxy: 'http://p:1' })).toBe(false);
    expect(uses('https://h/r', { ALL_PROXY: 'http://p:1' })).toBe(true);
    expect(uses('http://h/r', { HTTP_PROXY: 'http://p:1' })).toBe(false);
    expect(uses('git@h:r', { ALL_PROXY: 'http://p:1' })).toBe(false);
    expect(uses('https://h/r', {})).toBe(false);
  });

  it.each(['*', 'h.example', '.example', 'other,h.example', '*.example', 'EXAMPLE'])(
    'is not where NO_PROXY is %s',
    (no_proxy) => {
      expect(uses('https://h.example/r', { https_proxy: 'http://p:1', no_proxy })).toBe(false);
    },
  );

  it('is used where NO_PROXY names another host that only ends alike', () => {
    expect(uses('https://h.example/r', { https_proxy: 'http://p:1', no_proxy: 'ample,h.other' })).toBe(true);
  });
});
