import { Logger } from '@nestjs/common';
import { eventually } from '../../../test/support/eventually.js';
import { FakePatreon } from '../../../test/support/fake-patreon.js';
import { PatreonParts } from '../../../test/support/patreon-parts.js';
import type { PatreonConfig } from '../../config/config.js';
import { memberOf } from './patreon-documents.js';
import { ownerOf } from './patrons.service.js';

const MINUTE_MS = 60 * 1000;
const HOUR_MS = 60 * MINUTE_MS;
const USER = '77';
const OTHER = '78';

/** The clock of the process, which the tests can put forward. */
const realNow = Date.now.bind(Date);
let ahead = 0;

describe('Where a patron stands', () => {
  let patreon: FakePatreon;
  let station: PatreonParts;

  beforeAll(() => {
    Logger.overrideLogger(false);
    Date.now = () => realNow() + ahead;
  });
  afterAll(() => {
    Date.now = realNow;
    Logger.overrideLogger(['log', 'error', 'warn']);
  });
  beforeEach(async () => {
    ahead = 0;
    patreon = await FakePatreon.start();
    for (const user of [USER, OTHER]) patreon.join({ user, status: 'active_patron', tiers: ['2'] });
  });
  afterEach(async () => {
    await station.close();
    await patreon.close();
  });

  async function start(settings: Partial<PatreonConfig> = {}): Promise<void> {
    station = await PatreonParts.start(patreon, settings);
    await station.signIn(USER);
  }
  const withCreator = () => ({ creator: patreon.creator });
  const standing = () => station.standingOf(USER);
  const check = () => station.checks.check(USER);

  describe('who has left the campaign', () => {
    it('is known at once where Patreon says so to them and to the creator', async () => {
      await start(withCreator());
      patreon.leave(USER);
      await check();
      expect(standing()).toBe('former');
    });

    it('is known after an hour where only one of both can be asked, and not by an answer in between', async () => {
      await start();
      patreon.leave(USER);
      await check();
      ahead += 50 * MINUTE_MS;
      await check();
      expect(standing()).toBe('2');
      patreon.join({ user: USER, status: 'active_patron', tiers: ['2'] });
      await check();
      patreon.leave(USER);
      ahead += 30 * MINUTE_MS;
      await check();
      expect(standing()).toBe('2');
      ahead += HOUR_MS;
      await check();
      expect(standing()).toBe('former');
      ahead += HOUR_MS;
      const askedAt = Date.now();
      await check();
      expect(station.patrons.find(ownerOf(USER))?.confirmedAt).toBeGreaterThanOrEqual(askedAt);
    });

    it('is known after an hour also by the creator alone', async () => {
      await start(withCreator());
      patreon.revoke(USER);
      patreon.leave(USER);
      await check();
      expect(standing()).toBe('2');
      ahead += HOUR_MS;
      await check();
      expect(standing()).toBe('former');
    });

    it('comes back with everything as soon as Patreon names the membership again', async () => {
      await start(withCreator());
      patreon.leave(USER);
      await check();
      patreon.join({ user: USER, status: 'active_patron', tiers: ['2'] });
      await check();
      expect(standing()).toBe('2');
    });

    it('is not known where Patreon leaves out what it should say', async () => {
      await start(withCreator());
      patreon.trouble = 'blank';
      for (let time = 0; time < 3; time += 1) {
        await check();
        ahead += 2 * HOUR_MS;
      }
      expect(standing()).toBe('2');
    });
  });

  describe('by an event', () => {
    const hooked = async (says: Parameters<PatreonParts['hook']>[1]) => {
      const { data } = JSON.parse(patreon.webhook(USER, says).body) as { data: unknown };
      await station.checks.heed(USER, memberOf(data)?.membership);
    };

    it('is less where Patreon cannot be asked, and never more', async () => {
      patreon.change(USER, { lastChargeDate: '2026-03-01T00:00:00Z' });
      await start();
      patreon.revoke(USER);
      await hooked({ tiers: ['3'] });
      expect(standing()).toBe('2');
      await hooked({ tiers: ['1'] });
      expect(standing()).toBe('1');
      await hooked({ status: 'former_patron', lastChargeDate: '2026-02-01T00:00:00Z' }); // of an earlier month
      expect(standing()).toBe('1');
      await hooked({ status: 'former_patron' });
      expect(standing()).toBe('former');
      await hooked({ status: 'active_patron', lastChargeDate: '2026-04-01T00:00:00Z' });
      expect(standing()).toBe('former');
      await station.signIn(USER);
      expect(standing()).toBe('2');
    });

    it('is no confirmation: nothing is removed by what an event has said', async () => {
      await start();
      const { confirmedAt } = station.patrons.find(ownerOf(USER)) ?? {};
      patreon.revoke(USER);
      ahead += HOUR_MS;
      await hooked({ status: 'former_patron' });
      expect(station.patrons.find(ownerOf(USER))).toMatchObject({ confirmedAt });
    });

    it('is less at once where the event agrees with Patreon that there is no membership', async () => {
      await start();
      patreon.leave(USER);
      await hooked({ status: 'former_patron' });
      expect(standing()).toBe('former');
    });

    it.each(['down', 'too-many', 'too-many-in-body'] as const)(
      'is asked from Patreon as soon as it can be, where that was not possible (%s)',
      async (trouble) => {
        await start({ checkEveryMs: 15 * MINUTE_MS });
        patreon.trouble = trouble;
        patreon.retryAfterSeconds = 1;
        patreon.change(USER, { status: 'former_patron' });
        const asked = patreon.asked('identity');
        station.hook(USER, {});
        await eventually('Patreon was asked', () => patreon.asked('identity') === asked + 1);
        patreon.trouble = 'none';
        await eventually('it was asked again', () => standing() === 'former');
        expect(patreon.asked('identity')).toBe(asked + 2);
      },
    );

    it('is not asked any more by a station that has ended', async () => {
      await start();
      patreon.trouble = 'down';
      await hooked({});
      const asked = patreon.asked('identity');
      station.checks.onApplicationShutdown();
      await new Promise((resolve) => setTimeout(resolve, 1_500));
      expect(patreon.asked('identity')).toBe(asked);
    });
  });

  it('is not what Patreon says of somebody else, nor what it says without a status', async () => {
    await start(withCreator());
    for (const [id, status] of [
      [OTHER, 'former_patron'],
      [USER, ''],
      [USER, ['former_patron']],
    ] as const) {
      patreon.identityBody = JSON.stringify({
        data: { type: 'user', id, attributes: {}, relationships: { memberships: { data: [] } } },
        included: [
          {
            type: 'member',
            id: 'member',
            attributes: { patron_status: status },
            relationships: {
              campaign: { data: { type: 'campaign', id: patreon.campaignId } },
              currently_entitled_tiers: { data: [] },
            },
          },
        ],
      });
      await check();
      expect(standing()).toBe('2');
    }
  });

  it('is not overwritten by a sign-in whose answer is older', async () => {
    await start();
    const held = patreon.holdIdentity();
    const signingIn = station.signIn(USER);
    await eventually('Patreon was asked', () => held.isMade);
    patreon.change(USER, { status: 'former_patron' });
    ahead += 1;
    await check();
    held.letGo();
    await signingIn;
    expect(standing()).toBe('former');
  });

  describe('is looked through at start', () => {
    it('for those of whom Patreon has said nothing within PATREON_CHECK_MINUTES', async () => {
      await start({ checkEveryMs: 15 * MINUTE_MS });
      ahead += 10 * MINUTE_MS;
      await station.signIn(OTHER);
      const asked = patreon.requests.length;
      await station.sync.sync();
      expect(patreon.requests.length).toBe(asked);
      ahead += 10 * MINUTE_MS;
      expect(await station.sync.sync()).toBe(true);
      expect(patreon.requests.length).toBe(asked + 1);
    });

    it('again in an hour where Patreon has not answered about somebody', async () => {
      await start();
      ahead += 1;
      patreon.trouble = 'down';
      expect(await station.sync.sync()).toBe(false);
    });

    it('on all pages, for those who are in none one by one', async () => {
      for (const user of ['1', '2']) patreon.join({ user, status: 'former_patron' });
      await start(withCreator());
      await station.signIn(OTHER);
      patreon.leave(USER);
      patreon.change(OTHER, { status: 'former_patron' });
      ahead += 1;
      const [lists, identities] = [patreon.asked('/members'), patreon.asked('identity')];
      expect(await station.sync.sync()).toBe(true);
      expect([standing(), station.standingOf(OTHER)]).toEqual(['former', 'former']);
      expect(patreon.asked('identity')).toBe(identities + 1);
      expect(patreon.asked('/members')).toBe(lists + 2 + 1);
    });

    it('and not without end where the pages come again and again', async () => {
      await start(withCreator());
      ahead += 1;
      patreon.endlessList = true;
      const asked = patreon.asked('/campaigns/');
      expect(await station.sync.sync()).toBe(false);
      expect(patreon.asked('/campaigns/')).toBe(asked + 2);
      expect(standing()).toBe('2');
    });

    it('with a pause between two pages', async () => {
      for (const user of ['1', '2', '3']) patreon.join({ user, status: 'former_patron' });
      await start(withCreator());
      const startedAt = performance.now();
      await station.sync.sync();
      expect(performance.now() - startedAt).toBeGreaterThan(1_200);
    });
  });
});
