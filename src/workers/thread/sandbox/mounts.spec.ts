import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UNCONFINED } from '../../../../test/support/sandbox-plans.js';
import { mountArguments } from './mounts.js';

const paths = { workspace: '/none/workspace', home: '/none/home', staging: '/none/staging' };

const mounts = (hidden: string[], readable: string[] = []): string =>
  mountArguments({
    purpose: 'app',
    paths,
    temporary: '/none/tmp',
    empty: '/none/empty',
    sourceOf: (path) => path,
    machine: { ...UNCONFINED.machine, hidden, readable },
  }).join(' ');

describe('what is hidden', () => {
  it('is covered where it lies in the system: a folder by an empty one, a file by nothing', () => {
    expect(mounts(['/usr/share', '/usr/bin/env'])).toContain('--tmpfs /usr/share --ro-bind /none/empty /usr/bin/env');
  });

  it('is not mentioned where it is not there, or not seen anyway', () => {
    expect(mounts(['/usr/none', '/root'])).toBe(mounts([]));
  });
});

describe('what is to be read', () => {
  it('is mounted once, where the system does not show it by that path', () => {
    const folder = mkdtempSync(join(tmpdir(), 'mounts-'));
    const link = join(folder, 'link');
    symlinkSync('/usr/bin/env', link);
    expect(mounts([], ['/usr/bin/env', link, link])).toBe(`${mounts([])} --ro-bind ${link} ${link}`);
    expect(mounts(['/usr/bin'], ['/usr/bin/env'])).toContain('--ro-bind /usr/bin/env /usr/bin/env');
    rmSync(folder, { recursive: true });
  });
});
