import type { StationConfig } from '../../config/config.js';
import type { Standing } from '../../registry/patron-store.js';
import { PatronNotices } from './notices.js';

const DAY_MS = 24 * 60 * 60 * 1000;
const SINCE = Date.parse('2026-03-01T00:00:00Z');
const RULES = { graceMs: 7 * DAY_MS, retentionMs: 30 * DAY_MS, rankOf: () => 0 };
const PATREON = { apiUrl: 'https://www.patreon.com', campaignId: '777' };
const ACTIVE: Standing = {
  phase: 'active',
  plan: 'small',
  why: null,
  noticeSince: null,
  lapsedSince: null,
  reduction: null,
};

const noticeOf = (standing: Standing, patreon?: object) =>
  new PatronNotices({ host: '127.0.0.1', port: 6969, patreon } as StationConfig, RULES).of('patreon:1', standing);

describe('What patrons are told', () => {
  it('is nothing where everything is right', () => {
    expect(noticeOf(ACTIVE, PATREON)).toBeUndefined();
  });

  it('is on which days what follows, and how to come back', () => {
    const lapsed: Standing = { ...ACTIVE, phase: 'lapsed', why: 'former', noticeSince: SINCE, lapsedSince: SINCE };
    const { message } = noticeOf(lapsed, PATREON) ?? {};
    expect(message).toContain('stopped on 2026-03-08, and repositories are kept until 2026-03-31');
    expect(message).toContain('https://www.patreon.com/bePatron?c=777');
    const grace: Standing = { ...ACTIVE, phase: 'grace', why: 'declined', noticeSince: SINCE };
    expect(noticeOf(grace, PATREON)?.message).toContain('until 2026-03-08');
    expect(
      noticeOf({ ...ACTIVE, reduction: { since: SINCE, from: 'large', to: 'small' } }, PATREON)?.message,
    ).toContain('stopped on 2026-03-08');
  });

  it.each<[string, number | null]>([
    ['active', null],
    ['lapsed', SINCE],
  ])('is without a day where Patreon is not set up any more, after which nothing follows (%s)', (_, since) => {
    const lapsed: Standing = { ...ACTIVE, phase: 'lapsed', why: 'unconfirmed', noticeSince: since, lapsedSince: since };
    const notice = noticeOf(lapsed);
    expect(notice).toMatchObject({ code: 'PLAN_LAPSED', appsStopAt: null, unloadAt: null });
    expect(notice?.time).not.toBe(0);
    expect(notice?.message).toBe(
      'Your plan has lapsed: Patreon is not set up here any more. Nothing of what is there is stopped or removed. Ask the administrator for a plan.',
    );
  });
});
