import { DEFAULT_PLANS } from './default-plans.js';
import { GrantedPlan, UNBOUNDED, type Plan } from './plan.js';

const small: Plan = {
  id: 'small',
  name: 'Small',
  permissions: ['read', 'stop', 'unload'],
  quotas: { ...UNBOUNDED, repositories: 1, diskMb: 800 },
  tiers: [],
};

describe('the refusal of a plan', () => {
  it('says how much of the limit is in use', () => {
    const plan = new GrantedPlan(small, []);
    const start = 'The limit of the plan "Small" is reached:';
    expect(plan.refusal('repositories', 1).message).toBe(`${start} 1 of 1 repositories in use`);
    expect(plan.refusal('diskMb', 900).message).toBe(`${start} 900 of 800 MiB of disk in use`);
  });

  it('names the cheapest plan that allows more', () => {
    const plan = new GrantedPlan(small, DEFAULT_PLANS);
    const suggestion = `The plan "${DEFAULT_PLANS[0]?.name}" allows more.`;
    expect([plan.refusal('repositories', 1), plan.refusalOf('run')]).toMatchObject([{ suggestion }, { suggestion }]);
  });

  it('sends to the administrator where no plan does: another key of the owner would not help', () => {
    const plan = new GrantedPlan(small, []);
    for (const { suggestion } of [plan.refusal('repositories', 1), plan.refusalOf('run')]) {
      expect(suggestion).toMatch(/ask the administrator for a plan/i);
      expect(suggestion).not.toMatch(/use a key/i);
    }
  });
});
