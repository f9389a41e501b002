import { newestNode, nodeWish } from './node-wish.js';

describe('the Node.js that a repository asks for', () => {
  it.each([
    [
      { devEngines: { runtime: { name: 'node', version: '^24' } }, engines: { node: '22' } },
      {},
      '^24',
      'devEngines.runtime',
    ],
    [
      {
        devEngines: {
          runtime: [
            { name: 'bun', version: '1' },
            { name: 'node', version: '22' },
          ],
        },
      },
      {},
      '22',
      'devEngines.runtime',
    ],
    [{ engines: { node: '>=22' }, volta: { node: '20.1.0' } }, { nvmrc: '18' }, '>=22', 'engines.node'],
    [{ volta: { node: '20.1.0' } }, { nvmrc: 'v18.1.0\n', nodeVersion: '16' }, 'v18.1.0', '.nvmrc'],
    [{ volta: { node: '20.1.0' } }, { nodeVersion: '# ours\n16.20.2\n' }, '16.20.2', '.node-version'],
    [{ volta: { node: '20.1.0' } }, {}, '20.1.0', 'volta.node'],
  ])('%j with %j is %s, from %s', (manifest, files, wanted, source) => {
    const wish = nodeWish(manifest, files);
    expect(wish?.wanted).toBe(wanted);
    expect(wish?.source).toContain(source);
  });

  it.each([
    [{}],
    [{ engines: [] }],
    [{ engines: { node: 22 } }],
    [{ engines: null, devEngines: 'node', volta: 7 }],
    [{ engines: { node: '  ' } }],
  ])('is nothing in %j', (manifest) => {
    expect(nodeWish(manifest, {})).toBeUndefined();
  });

  it.each([
    ['lts/jod', '^22'],
    ['Iron', '^20'],
    ['lts/*', '*'],
    ['node', '*'],
    ['v22', '>=22.0.0 <23.0.0-0'],
    ['banana', undefined],
    ['lts/unheard-of', undefined],
  ])('%s means %s', (nvmrc, range) => {
    expect(nodeWish({}, { nvmrc })?.range).toBe(range);
  });
});

describe('the newest Node.js that fits', () => {
  const published = ['20.1.0', '22.3.0', '22.10.0', '23.9.0', '25.1.0', 'nonsense'].map((version) => ({ version }));
  const newest = (from: number) => newestNode(published, (version) => Number.parseInt(version, 10) >= from)?.version;

  it('is of an even major, which becomes an LTS line', () => expect(newest(20)).toBe('22.10.0'));
  it('is of an odd one where nothing else fits', () => expect(newest(23)).toBe('25.1.0'));
  it('is none where none fits', () => expect(newest(26)).toBeUndefined());
});
