import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEFAULT_PLANS } from './default-plans.js';
import { readPlans } from './plans-file.js';

const plan = { id: 'small', name: 'Small', permissions: ['read', 'stop', 'unload', 'clone'] };

describe('a file of plans', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'plans-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  function read(content: unknown) {
    const file = join(folder, 'plans.json');
    writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
    return readPlans(file);
  }

  it('is read, and what it leaves out is not limited', () => {
    const [small, large] = read({
      plans: [
        { ...plan, quotas: { repositories: 0, memoryPerAppMb: 512 } },
        { ...plan, id: 'large' },
      ],
    });
    expect(small).toMatchObject({ id: 'small', quotas: { repositories: 0, memoryPerAppMb: 512 } });
    expect(small?.quotas).toMatchObject({ runningApps: null });
    expect(large).toMatchObject({ quotas: { repositories: null } });
  });

  it('may hold the plans that there are without one', () => {
    expect(read({ plans: DEFAULT_PLANS })).toEqual(DEFAULT_PLANS);
  });

  it.each([
    ['no JSON', '{', 'expected JSON'],
    ['something else', [], 'expected {"plans": [...]}'],
    ['no plan', { plans: [] }, 'expected {"plans": [...]}'],
    ['another field', { plans: [plan], plan }, 'expected {"plans": [...]}'],
    ['what is no plan', { plans: ['small'] }, 'plans[0]'],
    ['a plan without a name', { plans: [{ ...plan, name: undefined }] }, 'plans[0]: name: expected text'],
    ['a field that is unknown', { plans: [{ ...plan, price: 5 }] }, 'price: unknown field'],
    ['a quota that is unknown', { plans: [{ ...plan, quotas: { apps: 1 } }] }, 'apps: unknown field'],
    [
      'a quota that is no number',
      { plans: [{ ...plan, quotas: { runningApps: '1' } }] },
      'runningApps: expected an integer',
    ],
    [
      'a permission that is unknown',
      { plans: [{ ...plan, permissions: ['fly'] }] },
      'permissions: expected a list of read',
    ],
    ['too few permissions', { plans: [{ ...plan, permissions: ['clone'] }] }, 'expected read, stop, unload among them'],
    ['two plans of one id', { plans: [plan, plan] }, 'expected each id once'],
  ])('that holds %s is refused by the place at fault', (_, content, message) => {
    expect(() => read(content)).toThrow(`PLANS_FILE: `);
    expect(() => read(content)).toThrow(message);
  });
});
