import { fileURLToPath } from 'node:url';
import { networkInterfaces, tmpdir } from 'node:os';
import { readConfig } from './config.js';
import { prepareFolders } from './prepare-folders.js';

const THIS_FILE = fileURLToPath(import.meta.url);
const OWN_ADDRESSES = Object.values(networkInterfaces()).flatMap((list = []) => list.map(({ address }) => address));

describe('The configuration', () => {
  it.each([
    ['HOST', 'bogus', 'an IP address of this machine'],
    ['HOST', '192.0.2.1', 'an IP address of this machine'],
    ['APP_HOST', 'bogus', 'an IP address of this machine'],
    ['APP_HOST', '192.0.2.1', 'an IP address of this machine'],
    ['PUBLIC_URL', 'nota', 'an http:// or https:// URL'],
    ['PUBLIC_URL', 'ftp://example.com', 'an http:// or https:// URL'],
    ['PUBLIC_URL', 'https://user:secret@example.com', 'an http:// or https:// URL'],
    ['PUBLIC_URL', 'https://example.com/?a', 'an http:// or https:// URL'],
    ['GIT_KNOWN_HOSTS', '/nonexistent', 'a file that the server may read'],
    ['GIT_KNOWN_HOSTS', '/', 'a file that the server may read'],
    ['GIT_ALLOWED_HOSTS', 'example.com', 'host:port'],
    ['GIT_ALLOWED_HOSTS', 'example.com:70000', 'host:port'],
    ['CORS_ORIGINS', 'station.test', 'origins such as https://example.com'],
    ['CORS_ORIGINS', 'https://station.test/page', 'origins such as https://example.com'],
    ['ADMIN_API_KEY', 'short', '16 to 512'],
    ['ADMIN_API_KEY', 'no bearer token has spaces', '16 to 512'],
    ['SECRETS_KEY', 'xyz', '64 hexadecimal digits'],
    ['PORT', '65536', 'a whole number'],
    ['APP_PORT_RANGE', '80-90', 'two ports'],
    ['SANDBOX', 'docker', 'one of auto, bubblewrap, none'],
    ['ALLOW_UNSANDBOXED', 'maybe', 'true or false'],
  ])(
    'is refused with %s=%s by the name of the variable and what it expects, without its value',
    (name, value, says) => {
      const read = () => readConfig({ [name]: value });
      expect(read).toThrow(new RegExp(`^ {2}${name}: expected .*${says}`, 'm'));
      expect(read).not.toThrow(value);
    },
  );

  it.each<[string, string, object]>([
    ['APP_HOST', 'localhost', { appHost: 'localhost' }],
    ['APP_HOST', '0.0.0.0', { appHost: '0.0.0.0' }],
    ['APP_HOST', '127.0.0.2', { appHost: '127.0.0.2' }],
    ...OWN_ADDRESSES.map((address) => ['APP_HOST', address, { appHost: address }] as [string, string, object]),
    ['PUBLIC_URL', 'https://example.com/', { publicUrl: 'https://example.com' }],
    ['PUBLIC_URL', 'http://example.com:8080/station/', { publicUrl: 'http://example.com:8080/station' }],
    ['GIT_KNOWN_HOSTS', THIS_FILE, { gitKnownHosts: THIS_FILE }],
    ['GIT_ALLOWED_HOSTS', 'Example.com:3000, [::1]:80', { gitAllowedHosts: ['example.com:3000', '[::1]:80'] }],
    [
      'CORS_ORIGINS',
      'https://example.com, http://localhost:3000',
      { corsOrigins: ['https://example.com', 'http://localhost:3000'] },
    ],
    ['CORS_ORIGINS', '*', { corsOrigins: ['*'] }],
  ])('takes %s=%s', (name, value, expected) => {
    expect(readConfig({ [name]: value })).toMatchObject(expected);
  });
});

describe('The folders of the station', () => {
  it.each(['/proc/station', '/proc/station/data', `${THIS_FILE}/data`])(
    'are refused where none can be made: %s',
    (dataDir) => {
      expect(() => prepareFolders({ dataDir, workspaceDir: tmpdir() })).toThrow(
        `DATA_DIR: expected a folder that the server may write to: ${dataDir}`,
      );
    },
  );
});
