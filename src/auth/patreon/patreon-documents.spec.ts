import { identityOf, memberOf } from './patreon-documents.js';

const CAMPAIGN = '777';
const USER = '1';

const member = (attributes: object = {}, { campaign = CAMPAIGN, tiers = [{ id: '100' }] as unknown } = {}) => ({
  type: 'member',
  id: `member-${campaign}`,
  attributes: { patron_status: 'active_patron', ...attributes },
  relationships: {
    campaign: { data: { type: 'campaign', id: campaign } },
    user: { data: { type: 'user', id: USER } },
    currently_entitled_tiers: { data: tiers },
  },
});
const identity = (included: object[], named: unknown = included) => ({
  data: { type: 'user', id: USER, attributes: {}, relationships: { memberships: { data: named } } },
  included,
});

describe('What Patreon says of a membership', () => {
  it.each<[string, object, string | null]>([
    ['a status', member(), 'active_patron'],
    ['a status that is new', member({ patron_status: 'paused' }), 'paused'],
    ['no status, as of who has never pledged', member({ patron_status: null }), null],
  ])('is taken as it is: %s', (_, resource, status) => {
    expect(memberOf(resource)).toMatchObject({ patreonId: USER, membership: { patronStatus: status } });
  });

  it.each<[string, object]>([
    ['an empty status', member({ patron_status: '' })],
    ['a list as a status', member({ patron_status: ['former_patron'] })],
    ['a number as a status', member({ patron_status: 0 })],
    ['no status', member({ patron_status: undefined })],
    ['no list of tiers', member({}, { tiers: null })],
    ['a tier without an id', member({}, { tiers: [{ id: '100' }, null] })],
    ['a tier whose id is a number', member({}, { tiers: [{ id: 100 }] })],
    ['a gift that is neither true nor false', member({ is_gifted: 'no' })],
  ])('is not known by %s', (_, resource) => {
    expect(memberOf(resource)).toMatchObject({ patreonId: USER, membership: undefined });
    expect(identityOf(identity([resource]), CAMPAIGN)).toMatchObject({ membership: undefined });
  });

  it('is that of the campaign, among however many', () => {
    const other = member({ patron_status: 'former_patron' }, { campaign: '9999' });
    for (const included of [
      [other, member()],
      [member(), other],
    ]) {
      expect(identityOf(identity(included), CAMPAIGN)?.membership?.patronStatus).toBe('active_patron');
    }
    expect(identityOf(identity([other]), CAMPAIGN)?.membership).toBeNull();
  });

  it('is not known where it is named and not there, or there without its campaign', () => {
    const other = member({}, { campaign: '9999' });
    const named = [{ type: 'member', id: 'member-777' }];
    for (const document of [
      identity([], named),
      identity([other], [...named, { type: 'member', id: other.id }]),
      identity([], [null]),
      identity([{ ...member(), relationships: {} }]),
    ]) {
      expect(identityOf(document, CAMPAIGN)).toMatchObject({ patreonId: USER, membership: undefined });
    }
  });

  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['a list', []],
    ['nobody', { data: null }],
    ['somebody without an id', { data: { id: 5, relationships: { memberships: { data: [] } } } }],
    ['somebody of whom memberships are left out', { data: { id: USER, relationships: null } }],
  ])('is not told by a document with %s', (_, document) => {
    expect(identityOf(document, CAMPAIGN)).toBeUndefined();
  });
});
