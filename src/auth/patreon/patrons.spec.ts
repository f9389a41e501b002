import { Logger } from '@nestjs/common';
import { FakePatreon, type Trouble } from '../../../test/support/fake-patreon.js';
import { PatreonParts } from '../../../test/support/patreon-parts.js';
import { ownerOf } from './patrons.service.js';

const HOUR_MS = 60 * 60 * 1000;
const BELIEVED_MS = 72 * HOUR_MS;
const GRACE_MS = 48 * HOUR_MS;
const USER = '77';
const OWNER = ownerOf(USER);

const STATUSES = ['active_patron', 'declined_patron', 'former_patron', null, 'paused'] as const;
const TROUBLES: Trouble[] = ['down', 'html', 'blank', 'incomplete'];

/** Numbers from 0 to 1, always the same for a seed (mulberry32). */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The clock of the process, which the tests can put forward. */
const realNow = Date.now.bind(Date);
let ahead = 0;

describe('Who has signed in with Patreon', () => {
  let patreon: FakePatreon;
  let station: PatreonParts;

  beforeAll(async () => {
    Logger.overrideLogger(false);
    Date.now = () => realNow() + ahead;
    patreon = await FakePatreon.start();
  });
  afterAll(async () => {
    Date.now = realNow;
    Logger.overrideLogger(['log', 'error', 'warn']);
    await patreon.close();
  });
  beforeEach(async () => {
    ahead = 0;
    patreon.trouble = 'none';
    patreon.join({ user: USER, status: 'active_patron', tiers: ['1'] });
    station = await PatreonParts.start(patreon, { graceMs: GRACE_MS, creator: patreon.creator });
    station.checks.onApplicationShutdown();
    await station.signIn(USER);
  });
  afterEach(() => station.close());

  /** It asks nothing later by itself, which would not go by the clock of these tests. */
  async function restart(options?: { isSetUp: boolean }): Promise<void> {
    station = await station.restart(options);
    station.checks.onApplicationShutdown();
  }

  const hasPlan = () => station.patrons.planOf(OWNER)?.permissions.includes('clone') === true;

  async function hook(says: object = {}): Promise<void> {
    station.hook(USER, says);
    await station.checks.checkAnew(USER);
  }

  it.each(Array.from({ length: 10 }, (_, index) => index + 1))(
    'never has more than it is entitled to, nor less, whatever happens and is told (seed %i)',
    async (seed) => {
      const random = randomOf(seed);
      const one = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)] as T;
      const told: string[] = [];
      /** When the membership has become what it is, and when the station has heard of that first and last. */
      let truth: { status: (typeof STATUSES)[number] } = { status: 'active_patron' };
      let heard = { first: Date.now() as number | null, last: Date.now() };

      const contact = () => {
        if (patreon.trouble === 'none') heard = { first: heard.first ?? Date.now(), last: Date.now() };
      };
      const steps: Record<string, () => Promise<void> | void> = {
        'the membership changes': () => {
          const status = one(STATUSES);
          if (status === truth.status) return;
          truth = { status };
          heard = { ...heard, first: null };
          patreon.change(USER, { status, tiers: status === null ? [] : ['1'] });
          told.push(String(status));
        },
        'a webhook comes': () => hook().then(contact),
        'an old webhook comes': () => hook({ status: one(STATUSES) }).then(contact),
        'all members are looked through': async () => {
          await station.sync.sync();
          contact();
        },
        'somebody asks': async () => {
          await station.checks.freshen(OWNER);
          await station.checks.check(USER);
          contact();
        },
        'Patreon has trouble': () => {
          patreon.trouble = one(TROUBLES);
        },
        'Patreon is well': () => {
          patreon.trouble = 'none';
        },
        'time passes': () => {
          ahead += Math.floor(random() * 40) * HOUR_MS;
          return station.patrons.tick();
        },
        'the server starts again': () => restart(),
      };
      /** undefined: it may be either. */
      const expected = (): boolean | undefined => {
        const now = Date.now();
        const { status } = truth;
        if (now - heard.last > BELIEVED_MS) return false;
        if (heard.first === null) return undefined;
        if (status === 'declined_patron') return now - heard.first > GRACE_MS ? false : undefined;
        return status === 'active_patron';
      };
      const often = ['time passes', 'time passes', 'a webhook comes', 'Patreon is well'];
      for (let step = 0; step < 100; step += 1) {
        const name = one([...Object.keys(steps), ...often]);
        told.push(name);
        await steps[name]?.();
        const may = expected() ?? hasPlan();
        expect([told, hasPlan()]).toEqual([told, may]);
      }
    },
    20_000,
  );

  it('is asked about with tokens that are renewed once at a time, and kept before they are used', async () => {
    patreon.expireTokens();
    const before = patreon.asked('token');
    await Promise.all(Array.from({ length: 20 }, () => station.checks.check(USER)));
    expect(patreon.asked('token')).toBe(before + 1);
    await restart();
    patreon.expireTokens();
    patreon.change(USER, { status: 'former_patron' });
    await station.checks.check(USER);
    expect(hasPlan()).toBe(false);
  });

  it('is asked about with the creator’s tokens where their own are not good any more, which are renewed as well', async () => {
    patreon.revoke(USER);
    patreon.expireTokens();
    patreon.change(USER, { status: 'former_patron' });
    await station.checks.check(USER);
    expect(hasPlan()).toBe(false);
    await restart();
    patreon.expireTokens();
    patreon.change(USER, { status: 'active_patron' });
    await station.checks.check(USER);
    expect(hasPlan()).toBe(true);
  });

  it('is found on whatever page of the members, and a list that is empty takes nothing from anybody', async () => {
    for (const user of ['1', '2', '3', '4', '5']) patreon.join({ user, status: 'active_patron', tiers: ['1'] });
    patreon.members.delete(USER);
    patreon.join({ user: USER, status: 'former_patron' });
    await station.sync.sync();
    expect(hasPlan()).toBe(false);
    patreon.change(USER, { status: 'active_patron', tiers: ['1'] });
    await station.sync.sync();
    expect(hasPlan()).toBe(true);
    patreon.trouble = 'blank';
    expect(await station.sync.sync()).toBe(false);
    expect(hasPlan()).toBe(true);
  });

  it('keeps the tokens where Patreon refuses the client and not them', async () => {
    patreon.expireTokens();
    patreon.trouble = 'bad-client';
    await station.checks.check(USER);
    patreon.trouble = 'none';
    patreon.change(USER, { status: 'former_patron' });
    await station.checks.check(USER);
    expect(hasPlan()).toBe(false);
  });

  it('has a grace of its own each time that the plan becomes less, and none once it is more again', async () => {
    const reducedSince = () => station.patrons.find(OWNER)?.standing.reduction?.since ?? null;
    const becomes = async (tier: string) => {
      patreon.change(USER, { tiers: [tier] });
      await station.checks.check(USER);
      return reducedSince();
    };
    await becomes('3');
    const first = await becomes('2');
    ahead += HOUR_MS;
    expect(await becomes('2')).toBe(first);
    expect(await becomes('1')).toBeGreaterThan(first ?? Infinity);
    expect(await becomes('3')).toBeNull();
  });

  it('gains nothing by going up and down again, nor by a payment that is late', async () => {
    const becomes = async (facts: object) => {
      patreon.change(USER, facts);
      await station.checks.check(USER);
    };
    await becomes({ tiers: ['3'] });
    await becomes({ tiers: ['1'] });
    ahead += GRACE_MS - HOUR_MS;
    await becomes({ tiers: ['2'] });
    await becomes({ status: 'declined_patron' });
    await becomes({ status: 'active_patron', tiers: ['1'] });
    expect(station.patrons.dueOf(OWNER)).toBe('later');
    ahead += 2 * HOUR_MS;
    expect(station.patrons.dueOf(OWNER)).toBe('stop-beyond-plan');
    await station.patrons.runsWithinPlan(OWNER);
    expect(station.patrons.dueOf(OWNER)).toBe('nothing');
  });

  it('hears nothing of a membership that a grant stands above, and everything anew once that is taken away', async () => {
    const { grants, patrons, checks, notices } = station;
    await grants.grant(OWNER, '3');
    await patrons.grantHasChanged(OWNER);
    patreon.change(USER, { status: 'former_patron' });
    await checks.check(USER);
    ahead += 60 * 24 * HOUR_MS;
    await patrons.tick();
    await checks.check(USER);
    expect([patrons.noticeOf(OWNER), patrons.dueOf(OWNER), notices]).toEqual([undefined, 'nothing', []]);
    await grants.grant(OWNER, null);
    await patrons.grantHasChanged(OWNER);
    expect([patrons.dueOf(OWNER), notices]).toEqual(['later', ['PLAN_LAPSED']]);
    const { appsStopAt, unloadAt } = patrons.noticeOf(OWNER) ?? {};
    expect(appsStopAt).toBeGreaterThanOrEqual(Date.now() + GRACE_MS - HOUR_MS);
    expect(unloadAt).toBeGreaterThan(Number(appsStopAt));
  });

  it('loses nothing while Patreon is not in the configuration, and hears everything anew once it is again', async () => {
    patreon.change(USER, { status: 'former_patron' });
    await station.checks.check(USER);
    await restart({ isSetUp: false });
    ahead += 60 * 24 * HOUR_MS;
    await station.patrons.tick();
    expect([station.patrons.dueOf(OWNER), station.notices]).toEqual([undefined, []]);
    await restart();
    await station.checks.check(USER);
    expect(station.patrons.dueOf(OWNER)).toBe('later');
    expect(station.patrons.noticeOf(OWNER)?.unloadAt).toBeGreaterThan(Date.now() + 29 * 24 * HOUR_MS);
  });

  it('is unloaded only by what Patreon has said just now, some time after the last notice', async () => {
    const due = () => station.patrons.dueOf(OWNER);
    patreon.change(USER, { status: 'former_patron' });
    await station.checks.check(USER);
    expect(due()).toBe('later');
    ahead += 31 * 24 * HOUR_MS;
    await restart(); // it did not run meanwhile
    await station.patrons.tick();
    expect(due()).toBe('stop-all');
    await station.checks.check(USER);
    expect(due()).toBe('stop-all'); // the last notice has only just been given
    ahead += 3 * 24 * HOUR_MS;
    expect(due()).toBe('stop-all'); // it was three days ago that Patreon said so
    await station.checks.check(USER);
    expect(due()).toBe('unload-all');
    patreon.change(USER, { status: 'active_patron' });
    await station.checks.check(USER);
    expect(due()).toBe('nothing');
  });

  it('waits for Patreon only where what it has said is not believed any more, and no longer than three seconds', async () => {
    patreon.trouble = 'silent';
    const took = async () => {
      const startedAt = performance.now();
      await station.checks.freshen(OWNER);
      return performance.now() - startedAt;
    };
    expect(await took()).toBeLessThan(500);
    ahead += BELIEVED_MS + HOUR_MS;
    await restart(); // its check was begun just now
    const waited = await took();
    expect([waited > 1_000, waited < 3_000]).toEqual([true, true]);
    expect(hasPlan()).toBe(false);
  }, 20_000);
});
