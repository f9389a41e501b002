import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readRegistryAccess, toRegistryAccess } from './registry-access.js';

describe('the access to the registry', () => {
  it('is what the configuration of npm says', () => {
    const settings = {
      registry: 'https://npm.example',
      cafile: '/ca.pem',
      'strict-ssl': false,
      'https-proxy': 'http://p:1',
    };
    expect(toRegistryAccess(settings, { https_proxy: 'http://other:2' })).toEqual({
      url: 'https://npm.example/',
      cafile: '/ca.pem',
      strictSsl: false,
      httpsProxy: 'http://p:1',
    });
  });

  it('falls back to the environment, and then to the public registry', () => {
    expect(
      toRegistryAccess({}, { NODE_EXTRA_CA_CERTS: '/extra.pem', HTTPS_PROXY: 'http://p:1', no_proxy: 'a,b' }),
    ).toEqual({
      url: 'https://registry.npmjs.org/',
      cafile: '/extra.pem',
      strictSsl: true,
      httpsProxy: 'http://p:1',
      noProxy: 'a,b',
    });
  });

  it('comes from the npm that is installed, with its configuration files', async () => {
    const home = mkdtempSync(join(tmpdir(), 'registry-access-'));
    try {
      writeFileSync(join(home, '.npmrc'), 'registry=https://mirror.example/npm\nstrict-ssl=false\n');
      const access = await readRegistryAccess({ PATH: process.env.PATH, HOME: home });
      expect(access).toMatchObject({ url: 'https://mirror.example/npm/', strictSsl: false });
    } finally {
      rmSync(home, { recursive: true, force: true });
    }
  });

  it('does without npm where there is none', async () => {
    const access = await readRegistryAccess({ PATH: '', npm_config_registry: 'https://mirror.example/' });
    expect(access.url).toBe('https://mirror.example/');
  });
});
