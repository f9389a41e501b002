import { parseRepositoryUrl } from '../../../contracts/repository-url.js';
import { checkedAddresses } from './addresses.js';

const signal = new AbortController().signal;
const check = (url: string, addresses: string[], allowedHosts: string[] = []) =>
  checkedAddresses(parseRepositoryUrl(url), { allowedHosts }, signal, () => Promise.resolve(addresses));

describe('the addresses of a Git host', () => {
  it('are all that its name has', async () => {
    expect(await check('https://git.example/a/b', ['8.8.8.8', '2606:4700::1'])).toEqual([
      { address: '8.8.8.8', family: 4 },
      { address: '2606:4700::1', family: 6 },
    ]);
  });

  it.each([
    '127.0.0.1',
    '10.1.2.3',
    '169.254.169.254',
    '100.64.0.1',
    '::1',
    '::ffff:10.0.0.1',
    'fe80::1%eth0',
    'fd00::1',
  ])('must all be public: one that is %s is enough to refuse the host', async (address) => {
    for (const url of ['https://git.example/a/b', 'git@git.example:a/b']) {
      await expect(check(url, ['8.8.8.8', address])).rejects.toMatchObject({ code: 'GIT_HOST_NOT_ALLOWED' });
    }
  });

  it('may be private where the host and port are allowed', async () => {
    const allowed = ['git.example:8443'];
    expect(await check('https://git.example:8443/a/b', ['10.0.0.1'], allowed)).toHaveLength(1);
    await expect(check('https://git.example/a/b', ['10.0.0.1'], allowed)).rejects.toMatchObject({
      code: 'GIT_HOST_NOT_ALLOWED',
    });
  });

  it('that cannot be had are a host that cannot be reached', async () => {
    const url = parseRepositoryUrl('https://no-such-host.invalid/a/b');
    await expect(checkedAddresses(url, { allowedHosts: [] }, signal)).rejects.toMatchObject({
      code: 'GIT_UNREACHABLE',
    });
  });

  it.each([
    ['ENOTFOUND', false],
    ['EAI_AGAIN', true],
  ])('that cannot be had because of %s are worth another try: %s', async (code, retryable) => {
    const url = parseRepositoryUrl('https://git.example/a/b');
    const resolve = () => Promise.reject(Object.assign(new Error(code), { code }));
    await expect(checkedAddresses(url, { allowedHosts: [] }, signal, resolve)).rejects.toMatchObject({
      code: 'GIT_UNREACHABLE',
      retryable,
    });
  });

  it('are not waited for when the operation is aborted', async () => {
    const cancellation = new AbortController();
    const reason = new Error('cancelled');
    const never = new Promise<string[]>(() => undefined);
    const url = parseRepositoryUrl('https://git.example/a/b');
    const checking = checkedAddresses(url, { allowedHosts: [] }, cancellation.signal, () => never);
    cancellation.abort(reason);
    await expect(checking).rejects.toBe(reason);
  });
});
