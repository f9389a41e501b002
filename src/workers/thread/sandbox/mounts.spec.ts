import { UNCONFINED } from '../../../../test/support/sandbox-plans.js';
import { mountArguments } from './mounts.js';

const paths = { workspace: '/none/workspace', home: '/none/home', staging: '/none/staging' };

const mounts = (hidden: string[]): string =>
  mountArguments({
    ...{ purpose: 'app', paths, temporary: '/none/tmp', empty: '/none/empty', sourceOf: (path) => path },
    machine: { ...UNCONFINED.machine, hidden },
  }).join(' ');

describe('what is hidden', () => {
  it('is covered where it lies in the system: a folder by an empty one, a file by nothing', () => {
    expect(mounts(['/usr/share', '/usr/bin/env'])).toContain('--tmpfs /usr/share --ro-bind /none/empty /usr/bin/env');
  });

  it('is not mentioned where it is not there, or not seen anyway', () => {
    expect(mounts(['/usr/none', '/root'])).toBe(mounts([]));
  });
});
